import assert from "node:assert/strict";
import { Narrator } from "../../../lib/commands/demo/narrator.ts";
import {
  GeneratedLog,
  type GeneratedLogOptions,
} from "../../../lib/core/simulation/generated_log.ts";
import { configureLogs } from "../../../lib/io/logs.ts";
import { Terminal } from "../../../lib/io/terminal.ts";
import { eventually } from "../../support/eventually.ts";
import { FakeScreen } from "../../support/screen.ts";

const MINUTE_MS = 60_000;

function makeLog(options: Partial<GeneratedLogOptions>): GeneratedLog {
  const past = { days: 1, share: 0.1 };
  const usual = { seed: 1, lotteries: 12, badShare: 0, lateShare: 0, rate: 100, speed: 1, past };
  return new GeneratedLog({ ...usual, begunMs: Date.now(), ...options });
}

/** What is logged meanwhile. */
async function openScreen(): Promise<FakeScreen> {
  const screen = new FakeScreen({ isTerminal: false });
  await configureLogs({ level: "info", format: "pretty", terminal: new Terminal({ screen }) });
  return screen;
}

Deno.test("Narrator says once who has announced a jackpot, and notes it as long as the crowd is there", async () => {
  // In the middle of an odd hour: jackpots are announced in two hours each.
  const nowMs = Date.parse("2026-01-31T13:30Z");
  using _clock = clockAt(nowMs);
  let seed = 0;
  const hasJackpot = (log: GeneratedLog) => {
    const jackpot = log.jackpotAt(nowMs);
    return jackpot !== null &&
      log.jackpotAt(nowMs + MINUTE_MS)?.lotteryName === jackpot.lotteryName;
  };
  while (!hasJackpot(makeLog({ seed }))) seed++;
  const log = makeLog({ seed });
  const { lotteryName, millions } = log.jackpotAt(nowMs)!;

  const screen = await openScreen();
  using narrator = new Narrator(log);
  const line = `${lotteryName} announces a jackpot of ${millions} million: a rush begins\n`;
  assert.ok(screen.written.endsWith(line), screen.written);
  assert.equal(screen.written.split("\n").length, 2);
  assert.equal(narrator.note(), `jackpot: ${lotteryName}`);
  assert.deepEqual(narrator.status(), { speed: 1, jackpot: { lotteryName, millions } });
});

/** Stops the clock until it is disposed. */
function clockAt(nowMs: number): Disposable {
  const now = Date.now;
  Date.now = () => nowMs;
  return { [Symbol.dispose]: () => Date.now = now };
}

Deno.test("Narrator says how long ago event time is, and when it is now", async () => {
  // Twice as fast, from 48 minutes ago: a minute ago in a few seconds.
  const screen = await openScreen();
  const begunMs = Date.now() - 47 * MINUTE_MS + 6_000;
  using narrator = new Narrator(makeLog({ speed: 2, begunMs }));
  assert.match(screen.written, /Event time starts 1 min \d s ago, and passes 2 times as fast/);
  assert.match(narrator.note()!, /^event time 1 min \d s ago/);
  assert.equal(narrator.status().speed, 2);
  await eventually(() => screen.written.includes("Event time has caught up"));
  assert.doesNotMatch(narrator.note() ?? "", /event time/);
  assert.equal(narrator.status().speed, 1);
});

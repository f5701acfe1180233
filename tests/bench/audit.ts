/**
 * How fast `audit` recounts a topic, beside the worker that has counted it. Both run in turn, so that
 * a machine that slows down slows down both.
 * @module
 */

import { Program } from "../support/worker_process.ts";
import { settingsOf, startOnce } from "./consumers.ts";
import { makeTopic } from "./load.ts";
import { type Usage, usageOf } from "./processes.ts";
import { type Finding, median, rate } from "./report.ts";
import type { Stand } from "./stand.ts";

/** Records a second of CPU time, the start of the program included. */
const LEAST_RATE = 1_500_000;

export async function* audit(stand: Stand): AsyncGenerator<Finding> {
  const events = stand.isQuick ? 1_000_000 : 5_000_000;
  await using topic = await makeTopic(stand.brokers, { events });
  const rounds: { readonly ours: number; readonly worker: number; readonly usage: Usage }[] = [];
  for (let round = 0; round < (stand.isQuick ? 1 : 5); round++) {
    await using database = await stand.createDatabase();
    const env = settingsOf(topic, database);
    const { usage: { cpuSeconds } } = await startOnce(stand, env);
    const usage = await auditOnce(env);
    rounds.push({ ours: events / usage.cpuSeconds, worker: events / cpuSeconds, usage });
  }
  const ours = median(rounds.map(({ ours }) => ours));
  const worker = median(rounds.map(({ worker }) => worker));
  yield {
    what: `audit of ${events / 1e6} M events, by CPU time`,
    measured: rate(ours),
    beside: `start --once ${rate(worker)}`,
    ratio: median(rounds.map(({ ours, worker }) => ours / worker)),
    goal: `≥ ${rate(LEAST_RATE)}`,
    isReached: ours >= LEAST_RATE,
  };
  yield {
    what: "peak memory of this audit",
    measured: `${Math.max(...rounds.map(({ usage }) => usage.peakMegabytes)).toFixed(0)} MB`,
  };
}

/** The last that was seen of it, a twentieth of a second before its end. */
async function auditOnce(env: Readonly<Record<string, string>>): Promise<Usage> {
  await using program = await Program.start(["audit", "--json"], { env });
  let usage: Usage = { cpuSeconds: 0, residentMegabytes: 0, peakMegabytes: 0 };
  const looking = setInterval(async () => usage = await usageOf(program.pid) ?? usage, 50);
  const code = await program.exitCode();
  clearInterval(looking);
  if (code !== 0) throw new Error(`It failed with ${code}:\n${program.stdout}${program.stderr}`);
  return usage;
}

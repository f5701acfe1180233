import fc from "fast-check";
import assert from "node:assert/strict";
import {
  GeneratedLog,
  type GeneratedLogOptions,
} from "../../../lib/core/simulation/generated_log.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const BEGUN_MS = Date.UTC(2026, 0, 1, 12);
const OPTIONS: GeneratedLogOptions = {
  seed: 1,
  lotteries: 12,
  badShare: 0,
  lateShare: 0.03,
  rate: 20,
  begunMs: BEGUN_MS,
  speed: 1,
};

const makeLog = (options: Partial<GeneratedLogOptions> = {}) =>
  new GeneratedLog({ ...OPTIONS, ...options });

const speed = fc.oneof(fc.constantFrom(1, 60), fc.double({ min: 1, max: 3_600, noNaN: true }));

Deno.test("a record is the same whenever and by whomever it is made", () => {
  fc.assert(fc.property(fc.integer(), speed, fc.nat(1_000_000), (seed, speed, n) => {
    const [one, other] = [makeLog({ seed, speed }), makeLog({ seed, speed })];
    other.record(n + 1);
    assert.deepEqual(one.record(n), other.record(n));
  }));
});

Deno.test("no record that is there is of the future, and none that is not is of the past", () => {
  fc.assert(
    fc.property(speed, fc.nat(30 * HOUR_MS), (speed, passedMs) => {
      const log = makeLog({ speed });
      const nowMs = BEGUN_MS + passedMs;
      const length = log.lengthAt(nowMs);
      const eventTimeMs = log.eventTimeAt(nowMs);
      assert.ok(eventTimeMs <= nowMs);
      if (length > 0) assert.ok(log.record(length - 1).timestampMs <= eventTimeMs);
      assert.ok(log.record(length).timestampMs > eventTimeMs);
    }),
    { examples: [[1972.9096883138025, 6]] },
  ); // event time would not be whole there
});

Deno.test("at usual speed the last 24 minutes are there at once", () => {
  const log = makeLog();
  assert.equal(log.eventTimeAt(BEGUN_MS), BEGUN_MS);
  assert.equal(BEGUN_MS - log.startMs, 24 * MINUTE_MS);
  assert.ok(log.lengthAt(BEGUN_MS) > 24 * 60 * OPTIONS.rate);
});

Deno.test("at speed 60 an hour passes in a minute, until it is now", () => {
  const log = makeLog({ speed: 60 });
  assert.equal(log.lengthAt(BEGUN_MS), 0);
  assert.equal(log.eventTimeAt(BEGUN_MS), BEGUN_MS - 24 * HOUR_MS);
  assert.equal(log.eventTimeAt(BEGUN_MS + MINUTE_MS), BEGUN_MS - 23 * HOUR_MS);
  const reachedMs = BEGUN_MS + 24 * HOUR_MS / 59;
  assert.ok(log.eventTimeAt(reachedMs - 1_000) < reachedMs - 1_000);
  assert.equal(log.eventTimeAt(reachedMs + 1_000), reachedMs + 1_000);
});

Deno.test("a jackpot's crowd comes for the lottery that announced it, and buys", () => {
  const log = makeLog({ speed: 60, lateShare: 0 });
  let nowMs = BEGUN_MS;
  while (log.jackpotAt(nowMs) === null) nowMs += 1_000;
  const jackpot = log.jackpotAt(nowMs)!;
  assert.ok(jackpot.millions >= 5 && jackpot.millions < 100);

  const first = log.lengthAt(nowMs);
  const records = Array.from({ length: 5_000 }, (_, at) => log.record(first + at));
  const before = Array.from({ length: 5_000 }, (_, at) => log.record(first - 10_000 + at));
  const share = (of: typeof records, is: (record: typeof records[number]) => boolean) =>
    of.filter(is).length / of.length;
  assert.ok(share(records, ({ key }) => key === jackpot.lotteryName) > 0.4);
  const isPayment = ({ value }: typeof records[number]) =>
    JSON.parse(String(value)).event_type === "pay";
  assert.ok(share(records, isPayment) > share(before, isPayment) * 1.2);
});

import fc from "fast-check";
import assert from "node:assert/strict";
import {
  GeneratedLog,
  type GeneratedLogOptions,
} from "../../../lib/core/simulation/generated_log.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const BEGUN_MS = Date.UTC(2026, 0, 1, 12);
const OPTIONS: GeneratedLogOptions = {
  seed: 1,
  lotteries: 12,
  badShare: 0,
  lateShare: 0.03,
  rate: 20,
  begunMs: BEGUN_MS,
  past: { days: 8, share: 0.1 },
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

Deno.test("at usual speed the last days are there at once, thinned until the last hours", () => {
  const log = makeLog();
  assert.equal(log.eventTimeAt(BEGUN_MS), BEGUN_MS);
  assert.equal(BEGUN_MS - log.startMs, OPTIONS.past.days * DAY_MS);
  const ofDay = (fromMs: number) => log.lengthAt(fromMs + DAY_MS) - log.lengthAt(fromMs);
  // The same day of the week, before the log was begun and after.
  const share = ofDay(log.startMs) / ofDay(log.startMs + 14 * DAY_MS);
  assert.ok(Math.abs(share - OPTIONS.past.share) < 0.001, `${share}`);
});

Deno.test("the rate grows without a leap from that of the past to that of now", () => {
  const log = makeLog();
  const full = makeLog({ past: { days: OPTIONS.past.days, share: 1 } });
  const shares = Array.from({ length: 36 }, (_, hour) => {
    const fromMs = BEGUN_MS - (30 - hour) * HOUR_MS;
    const events = (of: GeneratedLog) => of.lengthAt(fromMs + HOUR_MS) - of.lengthAt(fromMs);
    return events(log) / events(full);
  });
  for (const [at, share] of shares.entries()) {
    assert.ok(at === 0 || share >= shares[at - 1]! - 0.001, shares.join());
    assert.ok(at === 0 || share <= shares[at - 1]! + 0.25, shares.join());
  }
  assert.ok(Math.abs(shares[0]! - OPTIONS.past.share) < 0.001, shares.join());
  assert.ok(Math.abs(shares.at(-1)! - 1) < 0.001, shares.join());
});

Deno.test("at speed 60 an hour passes in a minute, until it is now; what is older is there at once", () => {
  const log = makeLog({ speed: 60 });
  assert.equal(log.eventTimeAt(BEGUN_MS), BEGUN_MS - DAY_MS);
  assert.equal(log.eventTimeAt(BEGUN_MS) - log.startMs, OPTIONS.past.days * DAY_MS);
  assert.equal(log.eventTimeAt(BEGUN_MS + MINUTE_MS), BEGUN_MS - 23 * HOUR_MS);
  const reachedMs = BEGUN_MS + DAY_MS / 59;
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

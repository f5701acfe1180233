import fc from "fast-check";
import assert from "node:assert/strict";
import { type Jackpot, Story, type StoryOptions } from "../../../lib/core/simulation/story.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const MIDNIGHT_MS = Date.UTC(2026, 0, 1);
const OPTIONS: StoryOptions = {
  seed: 1,
  rate: 100,
  lotteries: 12,
  startMs: MIDNIGHT_MS,
};

const story = new Story(OPTIONS);

const anyOptions = fc.record({
  seed: fc.integer(),
  rate: fc.double({ min: 0.1, max: 10_000, noNaN: true }),
  lotteries: fc.integer({ min: 1, max: 50 }),
  startMs: fc.integer({ min: Date.UTC(2001, 0), max: Date.UTC(2100, 0) }),
  growth: fc.option(
    fc.record({
      from: fc.double({ min: 0.01, max: 1, noNaN: true }),
      afterMs: fc.integer({ min: -DAY_MS, max: 15 * DAY_MS }),
    }),
    { nil: undefined },
  ),
}).map(({ growth, ...options }): StoryOptions => ({
  ...options,
  ...growth && { growth: { from: growth.from, endMs: options.startMs + growth.afterMs } },
}));

const anyStory = anyOptions.map((options) => new Story(options));

/** Jackpots of the first days, one per announcement. */
function jackpots(days: number): Jackpot[] {
  const found = new Map<number, Jackpot>();
  for (let timeMs = MIDNIGHT_MS; timeMs < MIDNIGHT_MS + days * DAY_MS; timeMs += HOUR_MS / 4) {
    const jackpot = story.jackpotAt(timeMs);
    if (jackpot) found.set(jackpot.startMs, jackpot);
  }
  return [...found.values()];
}

Deno.test("timeOf() is when lengthAt() passes a number of events", () => {
  fc.assert(fc.property(anyStory, fc.nat(1_000_000), (story, n) => {
    const timeMs = story.timeOf(n);
    assert.ok(story.lengthAt(timeMs) > n);
    assert.ok(story.lengthAt(timeMs - 1) <= n);
  }));
});

Deno.test("timeOf() is the same whatever was asked for before", () => {
  fc.assert(fc.property(anyOptions, fc.array(fc.nat(1_000_000)), (options, numbers) => {
    const story = new Story(options);
    for (const n of numbers) assert.equal(story.timeOf(n), new Story(options).timeOf(n));
  }));
});

Deno.test("events follow one another", () => {
  fc.assert(fc.property(anyStory, fc.nat(1_000_000), fc.nat(1_000), (story, n, more) => {
    assert.ok(story.timeOf(n + more) >= story.timeOf(n));
  }));
});

Deno.test("no event comes before the start", () => {
  assert.equal(story.lengthAt(MIDNIGHT_MS), 0);
  assert.equal(story.lengthAt(MIDNIGHT_MS - DAY_MS), 0);
  assert.ok(story.timeOf(0) > MIDNIGHT_MS);
});

Deno.test("a week has as many events as the rate says, and those of twelve jackpots a day", () => {
  const withoutJackpots = 100 * 7 * DAY_MS / 1000;
  const events = (days: number) => story.lengthAt(MIDNIGHT_MS + days * DAY_MS);
  const first = events(7);
  assert.ok(first > withoutJackpots * 1.2 && first < withoutJackpots * 1.35, `${first}`);
  for (const day of [1, 3, 100]) assert.ok(Math.abs(events(day + 7) - events(day) - first) <= 2);
  assert.equal(jackpots(10).length, 120);
});

/** Events of an hour, less those that came for a jackpot. */
function usualEvents(hour: number): number {
  let events = 0;
  for (let minute = 0; minute < 60; minute++) {
    const timeMs = MIDNIGHT_MS + hour * HOUR_MS + minute * 60_000;
    const share = story.crowdShareAt(timeMs + 30_000);
    events += (story.lengthAt(timeMs + 60_000) - story.lengthAt(timeMs)) * (1 - share);
  }
  return events;
}

Deno.test("evenings are busy and nights are quiet, every day", () => {
  for (const day of [0, 1, 7]) {
    const [night, noon, evening] = [3, 12, 20].map((hour) => usualEvents(day * 24 + hour));
    assert.ok(night! < noon! / 3 && noon! < evening! * 0.8, `${night} ${noon} ${evening}`);
  }
});

Deno.test("evenings of draws are busier than others, and Saturday's is the busiest", () => {
  // 1 January 2026 is a Thursday.
  const evenings = Array.from({ length: 7 }, (_, day) => usualEvents(day * 24 + 20));
  const [thursday, friday, saturday, sunday, monday, tuesday, wednesday] = evenings;
  for (const evening of [thursday, sunday, monday, tuesday]) {
    assert.ok(Math.min(friday!, saturday!, wednesday!) > evening! * 1.05, evenings.join());
  }
  assert.equal(Math.max(...evenings), saturday);
  const noons = Array.from({ length: 7 }, (_, day) => usualEvents(day * 24 + 12));
  const weekend = [noons[2]!, noons[3]!];
  assert.ok(Math.min(...weekend) > Math.max(...noons.filter((noon) => !weekend.includes(noon))));
});

Deno.test("a jackpot brings a crowd at once, which goes home by and by", () => {
  for (const { startMs, endMs } of jackpots(5)) {
    const perMinute = (timeMs: number) => story.lengthAt(timeMs + 60_000) - story.lengthAt(timeMs);
    assert.ok(perMinute(startMs) > perMinute(startMs - 60_001) * 1.8);
    const shares = Array.from(
      { length: 10 },
      (_, at) => story.crowdShareAt(startMs + 1 + (endMs - startMs) * at / 10),
    );
    assert.ok(shares[0]! > 0.5, shares.join());
    assert.ok(shares.every((share, at) => at === 0 || share < shares[at - 1]!), shares.join());
    assert.ok(story.crowdShareAt(endMs - 1_000) < 0.01);
    assert.equal(story.crowdShareAt(endMs + 1), 0);
    assert.equal(story.crowdShareAt(startMs - 1), 0);
  }
});

Deno.test("jackpots are announced by various lotteries at various times of the day", () => {
  const all = jackpots(60);
  assert.equal(new Set(all.map(({ lottery }) => lottery)).size, OPTIONS.lotteries);
  const hours = new Set(all.map(({ startMs }) => new Date(startMs).getUTCHours()));
  assert.ok(hours.size > 15, `${hours.size} hours`);
});

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
  dayMs: DAY_MS,
};

const story = new Story(OPTIONS);

const anyStory = fc.record({
  seed: fc.integer(),
  rate: fc.double({ min: 0.1, max: 10_000, noNaN: true }),
  lotteries: fc.integer({ min: 1, max: 50 }),
  startMs: fc.integer({ min: Date.UTC(2001, 0), max: Date.UTC(2100, 0) }),
  dayMs: fc.integer({ min: 60_000, max: DAY_MS }),
}).map((options) => new Story(options));

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

Deno.test("a day has as many events as the rate says, and those of six jackpots", () => {
  const ofADay = (day: number) =>
    story.lengthAt(MIDNIGHT_MS + (day + 1) * DAY_MS) - story.lengthAt(MIDNIGHT_MS + day * DAY_MS);
  for (const day of [0, 1, 100]) {
    const withoutJackpots = 100 * DAY_MS / 1000;
    assert.ok(Math.abs(ofADay(day) - withoutJackpots * (1 + 6 * 1.5 / 24)) <= 2, `${ofADay(day)}`);
  }
  assert.equal(jackpots(10).length, 60);
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

Deno.test("the rhythm of a squeezed day is that of a whole one", () => {
  const squeezed = new Story({ ...OPTIONS, dayMs: DAY_MS / 60, startMs: 0 });
  const whole = new Story({ ...OPTIONS, startMs: 0 });
  for (let hour = 0; hour <= 48; hour += 0.5) {
    const atSpeed = squeezed.lengthAt(hour * HOUR_MS / 60) * 60;
    assert.ok(Math.abs(atSpeed - whole.lengthAt(hour * HOUR_MS)) <= 60, `at ${hour}`);
  }
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

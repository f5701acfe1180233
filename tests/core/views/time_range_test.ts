import fc from "fast-check";
import assert from "node:assert/strict";
import { stepName } from "../../../lib/core/views/steps.ts";
import {
  barsOf,
  currentWindow,
  isRange,
  type Range,
  RANGES,
} from "../../../lib/core/views/time_range.ts";

const MINUTE_MS = 60_000;
const NOON_MS = Date.UTC(2026, 0, 1, 12);
const TIMES = {
  nowMs: NOON_MS + 20_000,
  newestWindowMs: NOON_MS,
  watermarkMs: NOON_MS - MINUTE_MS,
  windowMs: MINUTE_MS,
};

const CURRENT = [
  { name: "is the newest one", times: {}, expected: NOON_MS },
  { name: "is not there without events", times: { newestWindowMs: null }, expected: null },
  {
    name: "stands still with event time",
    times: { newestWindowMs: NOON_MS - 60 * MINUTE_MS },
    expected: NOON_MS - 60 * MINUTE_MS,
  },
  {
    name: "does not follow a few events that are ahead of the clock",
    times: { newestWindowMs: NOON_MS + 5 * MINUTE_MS },
    expected: NOON_MS,
  },
  {
    name: "follows the watermark where event time runs ahead of the clock",
    times: { newestWindowMs: NOON_MS + 9 * MINUTE_MS, watermarkMs: NOON_MS + 8.5 * MINUTE_MS },
    expected: NOON_MS + 8 * MINUTE_MS,
  },
];

for (const { name, times, expected } of CURRENT) {
  Deno.test(`currentWindow() ${name}`, () => {
    assert.equal(currentWindow({ ...TIMES, ...times }), expected);
  });
}

const RANGE_NAMES = Object.keys(RANGES).filter(isRange);
const SECOND_MS = 1_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

/** Number of bars and their length, for ranges that end with the window at noon. */
function barsAtNoon(range: Range, windowMs = MINUTE_MS) {
  const { firstMs, lastMs, stepMs } = barsOf(range, { currentMs: NOON_MS, windowMs });
  assert.equal(lastMs, NOON_MS);
  return [(lastMs - firstMs) / stepMs + 1, stepName(stepMs)];
}

Deno.test("barsOf() gives a bar for each minute of a short range, and longer ones for a long range", () => {
  assert.deepEqual(RANGE_NAMES.map((range) => [range, ...barsAtNoon(range)]), [
    ["15m", 15, "1m"],
    ["1h", 60, "1m"],
    ["24h", 96, "15m"],
    ["7d", 168, "1h"],
    ["30d", 120, "6h"],
    ["1y", 365, "1d"],
  ]);
});

const OTHER_WINDOWS: readonly (readonly [name: string, ms: number, expected: unknown[][]])[] = [
  ["a second", SECOND_MS, [[15, "1m"], [60, "1m"], [96, "15m"], [168, "1h"]]],
  ["90 seconds", 90 * SECOND_MS, [[10, "90s"], [40, "90s"], [96, "15m"], [168, "1h"]]],
  ["7 seconds", 7 * SECOND_MS, [[129, "7s"], [103, "35s"], [96, "15m"], [168, "1h"]]],
  ["11 minutes", 11 * MINUTE_MS, [[2, "660s"], [6, "660s"], [131, "660s"], [184, "3300s"]]],
  ["2 hours", 120 * MINUTE_MS, [[1, "7200s"], [1, "7200s"], [12, "7200s"], [84, "7200s"]]],
  ["a day", DAY_MS, [[1, "1d"], [1, "1d"], [1, "1d"], [7, "1d"]]],
];

for (const [name, windowMs, expected] of OTHER_WINDOWS) {
  Deno.test(`barsOf() gives windows of ${name} bars that hold them whole`, () => {
    const found = RANGE_NAMES.slice(0, 4).map((range) => barsAtNoon(range, windowMs));
    assert.deepEqual(found, expected);
  });
}

Deno.test("barsOf() covers a range from one time to another with bars that fit it", () => {
  const step = (minutes: number) => {
    const range = { fromMs: NOON_MS - minutes * MINUTE_MS, toMs: NOON_MS };
    const { firstMs, lastMs, stepMs } = barsOf(range, { currentMs: 0, windowMs: MINUTE_MS });
    assert.deepEqual([firstMs, lastMs], [range.fromMs, NOON_MS - 1]);
    return stepName(stepMs);
  };
  assert.deepEqual([1, 200, 201, 1_000, 1_001].map(step), ["1m", "1m", "5m", "5m", "15m"]);
  const days = [2, 3, 8, 9, 50, 51, 400, 401, 3_660];
  assert.deepEqual(
    days.map((each) => step(each * 24 * 60)),
    ["15m", "1h", "1h", "6h", "6h", "1d", "1d", "7d", "7d"],
  );
});

Deno.test("barsOf() never gives more bars than a chart can show, and none below a window", () => {
  const windowMs = fc.integer({ min: 1, max: 86_400 }).map((seconds) => seconds * SECOND_MS);
  const fixed = fc.integer({ min: 1, max: 3_660 * 24 * 60 }).map((minutes) => ({
    fromMs: NOON_MS - minutes * MINUTE_MS,
    toMs: NOON_MS,
  }));
  const range = fc.oneof(fc.constantFrom(...RANGE_NAMES), fixed);
  fc.assert(fc.property(windowMs, range, fc.integer({ min: 0, max: 1e6 }), (size, chosen, n) => {
    const currentMs = (1e6 + n) * size;
    const { firstMs, lastMs, stepMs } = barsOf(chosen, { currentMs, windowMs: size });
    assert.ok(stepMs >= size);
    assert.ok(stepMs % size === 0 || stepMs >= 60 * size || stepMs >= DAY_MS);
    const bars = (lastMs - firstMs) / stepMs + 1;
    assert.ok(bars <= (stepMs < DAY_MS ? 201 : stepMs === DAY_MS ? 401 : 525), `${bars} bars`);
    if (typeof chosen !== "string") return;
    assert.equal(lastMs, currentMs);
    assert.ok(bars * stepMs >= RANGES[chosen], "it is covered");
    assert.ok((bars - 1) * stepMs < RANGES[chosen], "no bar is too many");
  }));
});

Deno.test("isRange() knows the ranges, and no property of all objects", () => {
  assert.ok(isRange("1h"));
  assert.ok(!isRange("toString"));
  assert.ok(!isRange("2h"));
});

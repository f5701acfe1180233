import fc from "fast-check";
import assert from "node:assert/strict";
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

Deno.test("barsOf() gives a bar for each window of a short range, and joins those of a long one", () => {
  const bars = (range: Range, windowMs = MINUTE_MS) => {
    const { fromMs, toMs, barMs } = barsOf(range, { currentMs: NOON_MS, windowMs });
    return [(NOON_MS - fromMs) / MINUTE_MS, (toMs - NOON_MS) / MINUTE_MS, barMs / MINUTE_MS];
  };
  assert.deepEqual(bars("15m"), [14, 1, 1]);
  assert.deepEqual(bars("1h"), [59, 1, 1]);
  assert.deepEqual(bars("24h"), [1430, 1, 10]);
  assert.deepEqual(bars("15m", 60 * MINUTE_MS), [0, 60, 60]);
});

Deno.test("barsOf() covers the range with at most 150 aligned bars of whole windows", () => {
  const windowMs = fc.integer({ min: 1, max: 7_200 }).map((seconds) => seconds * 1000);
  const range = fc.constantFrom(...Object.keys(RANGES).filter(isRange));
  fc.assert(fc.property(windowMs, range, fc.integer({ min: 0, max: 1e6 }), (size, name, n) => {
    const currentMs = (1e6 + n) * size;
    const { fromMs, toMs, barMs } = barsOf(name, { currentMs, windowMs: size });
    assert.equal(barMs % size, 0);
    assert.equal(fromMs % barMs, 0);
    assert.equal(toMs, currentMs + size);
    const bars = Math.ceil((toMs - fromMs) / barMs);
    assert.ok(bars <= 150, `${bars} bars`);
    assert.ok(bars * barMs >= RANGES[name], "it is covered");
    assert.ok((bars - 1) * barMs < RANGES[name], "no bar is too many");
  }));
});

Deno.test("isRange() knows the ranges, and no property of all objects", () => {
  assert.ok(isRange("1h"));
  assert.ok(!isRange("toString"));
  assert.ok(!isRange("2h"));
});

/** The parts of the page that need no browser. */

import fc from "fast-check";
import assert from "node:assert/strict";
import { Palette } from "../../../../lib/io/http/page/chart/palette.js";
import { smooth } from "../../../../lib/io/http/page/chart/smooth.js";
import { comparison, layersOf, stack, weekAgo } from "../../../../lib/io/http/page/chart/stack.js";
import {
  age,
  change,
  duration,
  durations,
  onAxis,
  otherDay,
  percentChange,
  rate,
  visible,
  whole,
} from "../../../../lib/io/http/page/format.js";

Deno.test("ages are in the largest unit that fits, and never in the future", () => {
  const minute = 60_000;
  assert.deepEqual(
    [-500, 999, 59_999, minute, 59.9 * minute, 60 * minute, 47.9 * 60 * minute].map(age),
    ["0 s", "0 s", "59 s", "1 min", "59 min", "1 h", "1 d"],
  );
});

Deno.test("durations are as exact as they are short", () => {
  assert.deepEqual([0.4, 132.4, 1_449, 12_800].map(duration), ["0 ms", "132 ms", "1.4 s", "12 s"]);
  assert.equal(durations(130, 450), "130 · 450 ms");
  assert.equal(durations(130, 1_450), "130 ms · 1.4 s");
});

Deno.test("numbers are grouped, changes have their sign", () => {
  assert.equal(whole(1_204_331), "1,204,331");
  assert.deepEqual([0, 2_500, 21_930, 1_250_000, 12_000_000].map(onAxis), [
    ...["0", "2,500", "21,930", "1.25M", "12M"],
  ]);
  assert.deepEqual([1_234, 0, -5].map(change), ["+1,234", "", "−5"]);
  assert.deepEqual([0, 0.24, 9.96, 198.2].map(rate), ["0", "0.2", "10.0", "198"]);
});

Deno.test("a change in percent is a verdict only if there is something to compare with", () => {
  const texts = ([now, before]: readonly [number, number | null]) => {
    const change = percentChange(now, before);
    return change && `${change.direction} ${change.text}`;
  };
  const cases = [[110, 100], [1_000, 10], [96, 100], [100_001, 100_000], [0, 7]] as const;
  assert.deepEqual(cases.map(texts), ["up 10%", "up 9,900%", "down 4.0%", " 0%", "down 100%"]);
  assert.deepEqual(([[5, null], [5, 0], [0, 0]] as const).map(texts), [null, null, null]);
});

Deno.test("the day is shown unless it is today", () => {
  const noon = new Date(2026, 0, 31, 12).getTime();
  assert.equal(otherDay(noon, noon + 60_000), "");
  assert.equal(otherDay(new Date(2023, 0, 1, 12).getTime(), noon), "Jan 1, 2023");
});

Deno.test("names show invisible characters and changes of the reading direction", () => {
  assert.equal(visible("a\u202eb\u0007\u2028"), "a\\u{202e}b\\u{7}\\u{2028}");
  assert.equal(visible("lötto 🍀 <b>"), "lötto 🍀 <b>");
});

Deno.test("types that are shown together have different colours, and keep them", () => {
  const types = fc.uniqueArray(fc.constantFrom(..."abcdefghijklm"), { maxLength: 7 });
  fc.assert(fc.property(fc.array(types), (views) => {
    const palette = new Palette();
    for (const shown of views) {
      const colors = palette.colorsOf(shown);
      assert.equal(new Set(colors).size, shown.length);
      assert.ok(colors.every((color) => color >= 0 && color < 7));
      assert.deepEqual(palette.colorsOf(shown), colors);
    }
  }));
  const palette = new Palette();
  assert.deepEqual(palette.colorsOf(["clicked", "pay"]), [0, 1]);
  assert.deepEqual(palette.colorsOf(["pay", "login", "clicked"]), [1, 2, 0]);
});

Deno.test("layers are stacked", () => {
  assert.deepEqual(stack([[1, 2], [10, 20], [0, 5]]), [[1, 2], [11, 22], [11, 27]]);
  assert.deepEqual(stack([]), []);
});

const bar = (minute: number, events: number[], week_ago: number[] | null) => ({
  start: new Date(Date.UTC(2026, 0, 31, 12, minute)).toISOString(),
  end: new Date(Date.UTC(2026, 0, 31, 12, minute + 1)).toISOString(),
  events,
  week_ago,
});

Deno.test("bars and the line of the week before have the types that are switched on", () => {
  const view = { bars: [bar(0, [600, 20], [500, 10]), bar(1, [60, 0], null)] };
  assert.deepEqual(layersOf(view, [true, true]), [[600, 60], [20, 0]]);
  assert.deepEqual(layersOf(view, [false, true]), [[0, 0], [20, 0]]);
  assert.deepEqual(weekAgo(view, [true, true]), [510, null]);
  assert.deepEqual(weekAgo(view, [false, true]), [10, null]);
});

Deno.test("only bars that are closed are compared with the week before, and only all of them", () => {
  const [isOn, closedUpToMs] = [[true, false], Date.UTC(2026, 0, 31, 12, 2)];
  const bars = [bar(0, [10, 5], [7, 5]), bar(1, [20, 5], [8, 5]), bar(2, [1, 0], [9, 5])];
  assert.deepEqual(comparison({ bars }, { isOn, closedUpToMs }), { now: 30, before: 15 });
  assert.equal(comparison({ bars }, { isOn, closedUpToMs: null }), null);
  const unknown = [bar(0, [10, 5], null), ...bars.slice(1)];
  assert.equal(comparison({ bars: unknown }, { isOn, closedUpToMs }), null);
});

Deno.test("a curve is smoothed over five seconds", () => {
  assert.deepEqual(smooth([5, 0, 0, 0, 0, 10]), [1, 2]);
});

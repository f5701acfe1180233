/** The parts of the page that need no browser. */

import fc from "fast-check";
import assert from "node:assert/strict";
import type { ViewJson } from "../../../../lib/io/http/api.ts";
import { formatChoice, parseChoice } from "../../../../lib/io/http/page/address.js";
import { Palette } from "../../../../lib/io/http/page/chart/palette.js";
import { smooth } from "../../../../lib/io/http/page/chart/smooth.js";
import { ratesByType, stack } from "../../../../lib/io/http/page/chart/stack.js";
import {
  age,
  change,
  compact,
  duration,
  durations,
  otherDay,
  rate,
  visible,
  whole,
} from "../../../../lib/io/http/page/format.js";

Deno.test("the address has the choice, without defaults", () => {
  assert.equal(formatChoice({ range: "15m", lotteryName: null }), "");
  assert.equal(
    formatChoice({ range: "1h", lotteryName: "mega_draw" }),
    "?lottery=mega_draw&range=1h",
  );
  assert.deepEqual(parseChoice("?lottery="), {
    choice: { range: "15m", lotteryName: null },
    problems: [],
  });
});

const WRONG: readonly (readonly [search: string, problem: RegExp])[] = [
  [
    "?range=7y",
    /Unknown range “7y”, showing the last 15 minutes\. Supported: 15m, 1h, 24h\./,
  ],
  ["?range=", /Unknown range “”/],
  ["?range=toString", /Unknown range “toString”/],
  ["?range=%E2%80%AE%3Cb%3E", /Unknown range “\\u\{202e\}<b>”/],
  [`?range=${"x".repeat(1_000)}`, /Unknown range “x{60}…”/],
  ["?rnage=1h", /Unknown parameter “rnage” in the address/],
  ["?range=1h&range=24h", /“range” appears more than once/],
  ["?lottery=a%00b", /Invalid lottery name “a\\u\{0\}b”, showing all lotteries/],
  [`?lottery=${"x".repeat(401)}`, /Invalid lottery name/],
];

for (const [search, problem] of WRONG) {
  Deno.test(`${search.slice(0, 40)} is reported, and has no other effect`, () => {
    const { problems } = parseChoice(search);
    assert.equal(problems.length, 1);
    assert.match(problems[0]!, problem);
  });
}

Deno.test("a choice survives the address, whatever the lottery's name", () => {
  const range = fc.constantFrom("15m" as const, "1h" as const, "24h" as const);
  const lotteryName = fc.option(fc.string({ minLength: 1, unit: "grapheme" }));
  fc.assert(fc.property(range, lotteryName, (range, lotteryName) => {
    assert.deepEqual(parseChoice(formatChoice({ range, lotteryName })), {
      choice: { range, lotteryName },
      problems: [],
    });
  }));
});

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
  assert.deepEqual([whole(1_204_331), compact(21_930)], ["1,204,331", "21.9K"]);
  assert.deepEqual([1_234, 0, -5].map(change), ["+1,234", "", "−5"]);
  assert.deepEqual([0, 0.24, 9.96, 198.2].map(rate), ["0", "0.2", "10.0", "198"]);
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

Deno.test("bars are rates per minute; the last one covers the windows it has so far", () => {
  const view = {
    step_seconds: 600,
    to: "2026-01-31T12:21:00.000Z",
    event_types: ["clicked"],
    bars: [
      { start: "2026-01-31T12:10:00.000Z", events: [600, 20] },
      { start: "2026-01-31T12:20:00.000Z", events: [60, 0] },
    ],
  } as unknown as ViewJson;
  assert.deepEqual(ratesByType(view), [[60, 60], [2, 0]]);
});

Deno.test("a curve is smoothed over five seconds", () => {
  assert.deepEqual(smooth([5, 0, 0, 0, 0, 10]), [1, 2]);
});

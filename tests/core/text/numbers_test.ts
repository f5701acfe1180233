import assert from "node:assert/strict";
import { age, duration, groupDigits, plural } from "../../../lib/core/text/numbers.ts";

Deno.test("groupDigits() groups digits", () => {
  assert.equal(groupDigits(1_234_567), "1,234,567");
});

Deno.test("duration() has at most two units, the smallest of which is begun", () => {
  const cases: readonly (readonly [seconds: number, text: string])[] = [
    [-1, "0 s"],
    [0, "0 s"],
    [0.2, "1 s"],
    [59, "59 s"],
    [59.5, "1 min 0 s"],
    [61, "1 min 1 s"],
    [2 * 3600 + 5 * 60, "2 h 5 min"],
    [24 * 3600, "24 h 0 min"],
    [76 * 3600, "3 d 4 h"],
  ];
  for (const [seconds, text] of cases) assert.equal(duration(seconds), text);
});

Deno.test("age() counts whole seconds, and none are now", () => {
  assert.equal(age(0.9), "just now");
  assert.equal(age(1.9), "1 s ago");
  assert.equal(age(125), "2 min 5 s ago");
});

Deno.test("plural() has the singular for one alone", () => {
  assert.equal(plural(0, "record"), "0 records");
  assert.equal(plural(1, "record"), "1 record");
  assert.equal(plural(1_234, "record"), "1,234 records");
  assert.equal(plural(2, "is", "are"), "2 are");
});

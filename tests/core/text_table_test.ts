import assert from "node:assert/strict";
import { printable, textTable, utcTime } from "../../lib/core/text_table.ts";

Deno.test("textTable() puts numbers on the right, and counts characters, not units", () => {
  assert.deepEqual(
    textTable([{ title: "lottery" }, { title: "events", isNumber: true }], [
      ["lucky 🍀", "7"],
      ["a", "1,204"],
    ]),
    [
      "lottery  events",
      "lucky 🍀       7",
      "a         1,204",
    ],
  );
});

Deno.test("printable() shows what would move the cursor, and keeps the rest", () => {
  assert.equal(printable("lötto_€ 🍀"), "lötto_€ 🍀");
  assert.equal(printable("a\x1b[2J\n\u202e"), "a\\u{1b}[2J\\u{a}\\u{202e}");
});

Deno.test("utcTime() is UTC, to the second", () => {
  assert.equal(utcTime(1_672_531_259_999), "2023-01-01 00:00:59Z");
});

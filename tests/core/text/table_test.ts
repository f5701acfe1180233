import assert from "node:assert/strict";
import { textTable } from "../../../lib/core/text/table.ts";

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

Deno.test("textTable() takes more rows than a call can have arguments", () => {
  const lines = textTable([{ title: "n" }], Array.from({ length: 500_000 }, (_, n) => [String(n)]));
  assert.equal(lines.length, 500_001);
});

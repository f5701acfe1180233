import assert from "node:assert/strict";
import { progressBar } from "../../../lib/core/text/progress_bar.ts";

const usual = { unit: "records", columns: 100 };

Deno.test("progressBar() shows share, rate and time left", () => {
  assert.equal(
    progressBar({ ...usual, done: 250_000, total: 1_000_000, seconds: 2 }),
    "▓▓▓▓▓▓░░░░░░░░░░░░░░░░░░ 25 %  250,000 of 1,000,000 records, 125,000/s, 6 s left",
  );
});

Deno.test("progressBar() is full at the end, also when there was nothing to do", () => {
  for (const [done, total] of [[10, 10], [12, 10], [0, 0]] as const) {
    assert.match(progressBar({ ...usual, done, total, seconds: 1 }), /^▓{24} 100 % /);
  }
});

Deno.test("progressBar() knows no time left before the first record", () => {
  assert.equal(
    progressBar({ ...usual, done: 0, total: 10, seconds: 0 }),
    `${"░".repeat(24)} 0 %  0 of 10 records, 0/s`,
  );
});

Deno.test("progressBar() says less where it is narrow, and never more than fits", () => {
  const at = (columns: number) =>
    progressBar({ unit: "records", done: 250_000, total: 1_000_000, seconds: 2, columns });
  assert.equal(at(60), "25 %  250,000 of 1,000,000 records, 125,000/s, 6 s left");
  assert.equal(at(40), "25 %, 6 s left");
  for (let columns = 1; columns <= 100; columns++) assert.ok(at(columns).length <= columns);
});

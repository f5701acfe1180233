import assert from "node:assert/strict";
import { groupDigits, progressBar } from "../../lib/io/terminal.ts";

Deno.test("progressBar() shows share, rate and time left", () => {
  assert.equal(
    progressBar({ done: 250_000, total: 1_000_000, unit: "records", seconds: 2 }),
    "▓▓▓▓▓▓░░░░░░░░░░░░░░░░░░ 25 %  250,000 of 1,000,000 records, 125,000/s, 6 s left",
  );
});

Deno.test("progressBar() is full at the end, also when there was nothing to do", () => {
  for (const [done, total] of [[10, 10], [12, 10], [0, 0]] as const) {
    assert.match(progressBar({ done, total, unit: "records", seconds: 1 }), /^▓{24} 100 % /);
  }
});

Deno.test("progressBar() knows no time left before the first record", () => {
  assert.equal(
    progressBar({ done: 0, total: 10, unit: "records", seconds: 0 }),
    `${"░".repeat(24)} 0 %  0 of 10 records, 0/s`,
  );
});

Deno.test("progressBar() tells minutes and hours", () => {
  const left = (seconds: number) =>
    progressBar({ done: 1, total: 1 + seconds, unit: "records", seconds: 1 }).match(
      /, ([^,]+) left/,
    )![1];
  assert.equal(left(59), "59 s");
  assert.equal(left(61), "1 min 1 s");
  assert.equal(left(2 * 3600 + 5 * 60), "2 h 5 min");
});

Deno.test("groupDigits() groups digits", () => {
  assert.equal(groupDigits(1_234_567), "1,234,567");
});

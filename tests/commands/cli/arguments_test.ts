import { InvalidArgumentError } from "commander";
import assert from "node:assert/strict";
import { since, timeSpan } from "../../../lib/commands/cli/arguments.ts";

Deno.test("timeSpan() reads whole seconds, minutes, hours and days", () => {
  assert.deepEqual(
    ["30s", "15m", "6h", "7d"].map(timeSpan),
    [30_000, 900_000, 21_600_000, 604_800_000],
  );
  for (const wrong of ["", "6", "0h", "1.5h", "-6h", "6 h", "6H", "1w", "1000000d"]) {
    assert.throws(() => timeSpan(wrong), InvalidArgumentError, wrong);
  }
});

Deno.test("since() reads how long ago it was, or a time with its zone", () => {
  const nowMs = Date.UTC(2026, 0, 31, 12);
  assert.equal(since("6h")(nowMs), nowMs - 21_600_000);
  assert.equal(since("2026-01-31T12:00:00+01:00")(nowMs), nowMs - 3_600_000);
  for (const wrong of ["6", "2026-01-31", "2026-01-31T12:00:00"]) {
    assert.throws(() => since(wrong), InvalidArgumentError, wrong);
  }
});

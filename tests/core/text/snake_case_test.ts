import assert from "node:assert/strict";
import { withSnakeNames } from "../../../lib/core/text/snake_case.ts";

Deno.test("withSnakeNames() renames fields at every depth, and leaves values as they are", () => {
  const at = new Date(0);
  assert.deepEqual(
    withSnakeNames({ nextOffset: 1, rows: [{ windowStart: at, name: "megaDraw" }], none: null }),
    { next_offset: 1, rows: [{ window_start: at, name: "megaDraw" }], none: null },
  );
});

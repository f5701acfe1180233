import assert from "node:assert/strict";
import { latenciesOf } from "../../../lib/core/stats/latency.ts";

const NOW_MS = Date.UTC(2026, 0, 31, 12);
const batchTimestampsMs = [NOW_MS - 1_440_000, NOW_MS - 150, NOW_MS, NOW_MS + 1, -1];

Deno.test("latenciesOf() leaves out batches without a timestamp, and those that are ahead of the clock", () => {
  assert.deepEqual(latenciesOf({ batchTimestampsMs }, { nowMs: NOW_MS, sinceMs: 0 }), [
    1_440_000,
    150,
    0,
  ]);
});

Deno.test("latenciesOf() leaves out what was made up", () => {
  const clock = { nowMs: NOW_MS, sinceMs: NOW_MS - 1_000 };
  assert.deepEqual(latenciesOf({ batchTimestampsMs }, clock), [150, 0]);
});

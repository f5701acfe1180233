import assert from "node:assert/strict";
import {
  entrySince,
  type HistoryEntry,
  impossibleCounters,
} from "../../../lib/core/audit/history.ts";

const MINUTE_MS = 60_000;
const START_MS = Date.UTC(2026, 0, 1);

Deno.test("entrySince() is the last entry before which no event of the time's window was counted", () => {
  const at = (nextOffset: number, minute: number | null): HistoryEntry => ({
    nextOffset,
    counted: nextOffset,
    dead: 0,
    maxEventTimeMs: minute === null ? null : START_MS + minute * MINUTE_MS,
  });
  const entries = [at(0, null), at(10, 1), at(20, 2), at(30, 2)];
  const since = (minute: number) => entrySince(entries, START_MS + minute * MINUTE_MS)?.nextOffset;
  assert.deepEqual([1, 1.5, 2, 2.5].map(since), [0, 10, 10, 30]);
  assert.equal(entrySince([at(10, 1)], START_MS + MINUTE_MS), undefined);
});

Deno.test("impossibleCounters() names a counter that falls, also where fewer records are than offsets", () => {
  const at = (nextOffset: number, [counted, dead]: readonly [number, number]): HistoryEntry => ({
    ...{ nextOffset, counted, dead, maxEventTimeMs: null },
  });
  const differencesOf = (counters: readonly (readonly [number, number])[]) =>
    impossibleCounters({
      ...{ partition: 3, firstOffset: 0, deadLetterHorizon: 0 },
      entries: counters.map((each, index) => at(index * 100, each)),
      now: at(1_000, [90, 9]),
    });
  assert.deepEqual(differencesOf([[0, 0], [40, 4], [40, 4], [80, 8]]), []);
  assert.deepEqual(differencesOf([[0, 0], [40, 4], [39, 5], [80, 8]]), [
    { sum: "records counted before offset 200 of partition 3", stored: 39, expected: 40 },
  ]);
  assert.deepEqual(differencesOf([[0, 0], [40, 4], [41, 3], [80, 8]]), [
    { sum: "records dead before offset 200 of partition 3", stored: 3, expected: 4 },
  ]);
});

import assert from "node:assert/strict";
import { ledgerDifferences, type LedgerTotals } from "../../../lib/core/audit/ledger_totals.ts";

/** 90 events of which some were deleted, 10 dead letters of which two were replayed. */
const BALANCED: LedgerTotals = {
  counted: 88,
  dead: 10,
  replayedLetters: 2,
  events: 60,
  deletedEvents: 30,
  hourEvents: 75,
  deletedHourEvents: 10,
  eventsNotInHours: 5,
  deadLetters: 9,
  deletedLetters: 1,
};

const CHANGES: readonly (readonly [Partial<LedgerTotals>, string[]])[] = [
  [{}, []],
  [{ events: 61 }, ["events in rows of counts"]],
  [{ deletedEvents: 29 }, ["events in rows of counts"]],
  [{ hourEvents: 74 }, ["events in hours"]],
  [{ deletedHourEvents: 11 }, ["events in hours"]],
  [{ eventsNotInHours: 0 }, ["events in hours"]],
  [{ deadLetters: 8 }, ["dead letters"]],
  [{ deletedLetters: 2 }, ["dead letters"]],
  [{ counted: 89 }, ["events in rows of counts", "events in hours"]],
  [{ replayedLetters: 1 }, ["events in rows of counts", "events in hours"]],
];

Deno.test("ledgerDifferences() names each sum that is not what the ledger says", () => {
  for (const [change, named] of CHANGES) {
    const found = ledgerDifferences({ ...BALANCED, ...change });
    assert.deepEqual(found.map(({ sum }) => sum), named, JSON.stringify(change));
    for (const { stored, expected } of found) assert.notEqual(stored, expected);
  }
});

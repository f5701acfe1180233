/**
 * The totals that the database keeps: what became of the records that were read.
 * @module
 */

/** Of the rows of counts, the audit adds up the events itself, because it reads each of them. */
export interface StoredTotals {
  readonly counted: number;
  readonly dead: number;
  readonly deadLetters: number;
  /** Events in the hours. */
  readonly hourEvents: number;
  /** Dead letters that were counted after all. */
  readonly replayedLetters: number;
  /** Events of rows and of hours, and dead letters, that were deleted for their age. */
  readonly deletedEvents: number;
  readonly deletedHourEvents: number;
  readonly deletedLetters: number;
}

export interface LedgerTotals extends StoredTotals {
  /** Events in the rows of counts. */
  readonly events: number;
  /** Those of windows that an older database has not put into its hours yet. */
  readonly eventsNotInHours: number;
}

/** A table of which the ledger says what its sum is. */
export type TableSum = "events in rows of counts" | "events in hours" | "dead letters";

/** A sum that is not what the ledger says; or counters of a partition that no records can give. */
export interface LedgerDifference {
  readonly sum: TableSum | `records ${string}`;
  readonly stored: number;
  readonly expected: number;
}

/** Every record read has to be stored, or known to be deleted; and every event also in an hour. */
export function ledgerDifferences(ledger: LedgerTotals): LedgerDifference[] {
  const events = ledger.counted + ledger.replayedLetters;
  const sums: readonly LedgerDifference[] = [
    {
      sum: "events in rows of counts",
      stored: ledger.events,
      expected: events - ledger.deletedEvents,
    },
    {
      sum: "events in hours",
      stored: ledger.hourEvents,
      expected: events - ledger.deletedHourEvents - ledger.eventsNotInHours,
    },
    {
      sum: "dead letters",
      stored: ledger.deadLetters,
      expected: ledger.dead - ledger.deletedLetters,
    },
  ];
  return sums.filter(({ stored, expected }) => stored !== expected);
}

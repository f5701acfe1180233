/**
 * A partition's counters over time, which still account for records that Kafka has deleted.
 * @module
 */

import type { LedgerDifference } from "./ledger_totals.ts";

export interface HistoryEntry {
  /** All records before it, from where counting began, are in these counters. */
  readonly nextOffset: number;
  readonly counted: number;
  readonly dead: number;
  /** Greatest event time counted, milliseconds since the epoch, or null if nothing was. */
  readonly maxEventTimeMs: number | null;
}

/** A partition's counters now, and before. */
export interface PartitionHistory {
  readonly partition: number;
  /** Where counting began: records before it are not counted. */
  readonly firstOffset: number;
  /** Where the audit begins instead: records before it are not read. */
  readonly since?: HistoryEntry | undefined;
  /** Dead letters below it may be deleted for their age; 0 if none is. */
  readonly deadLetterHorizon: number;
  readonly entries: readonly HistoryEntry[];
  readonly now: HistoryEntry;
}

/** Where the audit begins, if the log still holds it. */
export function beginning({ since, firstOffset }: PartitionHistory): HistoryEntry {
  return since ?? { nextOffset: firstOffset, counted: 0, dead: 0, maxEventTimeMs: null };
}

/**
 * The last entry before which no window that starts at or after `sinceMs` was counted, except
 * those ahead of the clock. Undefined if there is none: such an audit begins where counting did.
 */
export function entrySince(
  entries: readonly HistoryEntry[],
  sinceMs: number,
): HistoryEntry | undefined {
  return entries.findLast(({ maxEventTimeMs }) => (maxEventTimeMs ?? -Infinity) < sinceMs);
}

/**
 * The first entry from which a log that begins at `logStart` can be recounted in full: where
 * the audit begins if nothing after that is gone, and now if all of it is.
 */
export function firstProvable(history: PartitionHistory, logStart: number): HistoryEntry {
  const { entries, now } = history;
  return [beginning(history), ...entries].find(({ nextOffset }) => nextOffset >= logStart) ?? now;
}

/**
 * Counters of before that cannot be right, whatever the records were: none falls, and together they
 * do not grow by more than there are offsets. It needs no log.
 */
export function impossibleCounters(history: PartitionHistory): LedgerDifference[] {
  const { partition, entries } = history;
  let before = beginning({ ...history, since: undefined });
  const differences: LedgerDifference[] = [];
  for (const entry of entries) {
    const where = `before offset ${entry.nextOffset} of partition ${partition}`;
    const read = entry.counted + entry.dead;
    const most = before.counted + before.dead + Math.max(0, entry.nextOffset - before.nextOffset);
    if (read > most) {
      differences.push({ sum: `records ${where}`, stored: read, expected: most });
    }
    for (const kind of ["counted", "dead"] as const) {
      if (entry[kind] >= before[kind]) continue;
      const sum = `records ${kind} ${where}` as const;
      differences.push({ sum, stored: entry[kind], expected: before[kind] });
    }
    before = entry;
  }
  return differences;
}

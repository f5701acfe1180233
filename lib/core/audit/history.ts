/**
 * A partition's counters over time, which still account for records that Kafka has deleted.
 * @module
 */

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
  /** Dead letters below it may be deleted for their age; 0 if none is. */
  readonly deadLetterHorizon: number;
  readonly entries: readonly HistoryEntry[];
  readonly now: HistoryEntry;
}

/**
 * The first entry from which a log that begins at `logStart` can be recounted in full: where
 * counting began if nothing that was counted is gone, and now if all of it is.
 */
export function firstProvable(
  { firstOffset, entries, now }: PartitionHistory,
  logStart: number,
): HistoryEntry {
  const beginning = { nextOffset: firstOffset, counted: 0, dead: 0, maxEventTimeMs: null };
  return [beginning, ...entries].find(({ nextOffset }) => nextOffset >= logStart) ?? now;
}

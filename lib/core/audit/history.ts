/**
 * How a partition stood at some time: what is still known of records that Kafka has deleted.
 * @module
 */

/** A partition's books at one offset. */
export interface HistoryEntry {
  /** All records before it, from where counting began, are in these books. */
  readonly nextOffset: number;
  readonly counted: number;
  readonly dead: number;
  /** Greatest event time counted, milliseconds since the epoch, or null if nothing was. */
  readonly maxEventTimeMs: number | null;
}

/** A partition's books now, and how they came about. */
export interface PartitionHistory {
  readonly partition: number;
  /** Where counting began: records before it are none of the counts. */
  readonly firstOffset: number;
  /** Dead letters below it may be deleted for their age; 0 if none is. */
  readonly deadLetterHorizon: number;
  /** Oldest first. */
  readonly milestones: readonly HistoryEntry[];
  readonly now: HistoryEntry;
}

/**
 * The first milestone that every record of the log since then can be recounted from,
 * if the log begins at `logStart`. Where nothing that was counted is gone, it is where
 * counting began; where all of it is, it is now.
 */
export function firstProvable(
  { firstOffset, milestones, now }: PartitionHistory,
  logStart: number,
): HistoryEntry {
  const beginning = { nextOffset: firstOffset, counted: 0, dead: 0, maxEventTimeMs: null };
  return [beginning, ...milestones].find(({ nextOffset }) => nextOffset >= logStart) ?? now;
}

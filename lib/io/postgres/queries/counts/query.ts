/**
 * Which counts are asked for, and what is found.
 * @module
 */

/** Which counts are asked for: those of the buckets that start in `[fromMs, toMs)`. */
export interface CountsQuery {
  readonly fromMs: number;
  readonly toMs: number;
  /** Length of the buckets, no less than a window; a day is 86,400. */
  readonly stepSeconds: number;
  /** Whose calendar days and weeks follow, by its IANA name. */
  readonly zone: string;
  /** Of these alone, or of all if there is none. */
  readonly lotteryNames: readonly string[];
  readonly eventTypes: readonly string[];
  /** Only what comes after it; null: from the first row on. */
  readonly after: CountKey | null;
  readonly limit: number;
}

/** What rows are ordered by, and so a place among them. */
export interface CountKey {
  readonly startMs: number;
  readonly lotteryName: string;
  readonly eventType: string;
}

/** Events of a bucket, and whether all of its windows are closed. */
export interface CountRow extends CountKey {
  readonly endMs: number;
  readonly count: number;
  readonly isClosed: boolean;
}

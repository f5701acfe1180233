/**
 * Records that could not be counted.
 * @module
 */

import type { Cut, RecordHeader } from "../records/record_batch.ts";
import { GREATEST_TIMESTAMP_MS, REJECTION_REASONS } from "../windowing/event.ts";

/** A record is rejected for itself; or because the counts of its window are deleted for their age. */
export const DEAD_LETTER_REASONS = [...REJECTION_REASONS, "expired_window"] as const;

export type DeadLetterReason = typeof DEAD_LETTER_REASONS[number];

/** A record that could not be counted, as it was read; of a very large one, what is kept. */
export interface DeadLetter {
  readonly partition: number;
  readonly offset: number;
  readonly reason: DeadLetterReason;
  /** Milliseconds since the epoch; −1 if the record has none, and any number from a faulty producer. */
  readonly recordTimestampMs: number;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly headers: readonly RecordHeader[];
  /** What is missing of it; null if it is whole. */
  readonly cut: Cut | null;
}

/** A record's timestamp as it is stored; null for one that a faulty producer has set out of range. */
export function storableTimestamp(timestampMs: number): number | null {
  return timestampMs >= 0 && timestampMs <= GREATEST_TIMESTAMP_MS ? timestampMs : null;
}

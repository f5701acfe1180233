/**
 * Records that could not be counted.
 * @module
 */

import { REJECTION_REASONS } from "./event.ts";
import type { RecordHeader } from "./record_batch.ts";

/** A record is rejected for itself; or because the counts of its window are deleted for their age. */
export const DEAD_LETTER_REASONS = [...REJECTION_REASONS, "expired_window"] as const;

export type DeadLetterReason = typeof DEAD_LETTER_REASONS[number];

/** A record that could not be counted, as it came. */
export interface DeadLetter {
  readonly partition: number;
  readonly offset: number;
  readonly reason: DeadLetterReason;
  /** Milliseconds since the epoch; −1 if the record has none, and any number if its producer is wrong. */
  readonly recordTimestampMs: number;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly headers: readonly RecordHeader[];
}

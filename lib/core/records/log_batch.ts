/**
 * Record batches as a log holds them, and what one read of a log gives.
 * @module
 */

import type { RecordBatch } from "./record_batch.ts";

/** A record batch as its log holds it: compressed, and of any size. */
export interface LogBatch {
  /** Offset that follows the batch, also if its last records were compacted away. */
  readonly nextOffset: number;
  /** CRC-32C that the producer or broker gave the batch, as an unsigned number; null if its source has none. */
  readonly crc: number | null;
  /**
   * Its records in their order, in batches that are small enough to be held one at a time; only
   * the last has the `crc`, and reaches up to `nextOffset`. Each call decompresses them again.
   * @throws {UnreadableBatchError} if it cannot be read; the pieces before may have been counted.
   */
  pieces(): Iterable<RecordBatch> | AsyncIterable<RecordBatch>;
}

/** A batch with its pieces in memory. */
export function logBatchOf(...pieces: readonly RecordBatch[]): LogBatch {
  const { nextOffset, crc } = pieces.at(-1)!;
  return { nextOffset, crc, pieces: () => pieces };
}

/** The result of one read of one partition. */
export interface Fetched {
  readonly partition: number;
  /** Offset that was asked for. */
  readonly fetchedOffset: number;
  /** Offset to ask for next; beyond `fetchedOffset` even if no batch holds a record. */
  readonly nextOffset: number;
  /** End of the log as far as it may be read, when this was read. */
  readonly endOffset: number;
  readonly batches: readonly LogBatch[];
}

/**
 * The records of batches as a log holds them.
 * @module
 */

import type { LogBatch } from "../../lib/core/records/log_batch.ts";
import { type RecordBatch, RecordCursor } from "../../lib/core/records/record_batch.ts";

/** All pieces of a batch. */
export async function piecesIn(batch: LogBatch): Promise<RecordBatch[]> {
  return await Array.fromAsync(batch.pieces());
}

/** Cursors that stand on each record, one after the other. */
export async function* recordsIn(batches: readonly LogBatch[]): AsyncGenerator<RecordCursor> {
  for (const batch of batches) {
    for await (const piece of batch.pieces()) {
      const cursor = new RecordCursor(piece);
      while (cursor.next()) yield cursor;
    }
  }
}

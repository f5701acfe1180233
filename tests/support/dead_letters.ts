/**
 * Dead letters one by one, as tests compare them, and as the columns that a commit has.
 * @module
 */

import { DeadLetters } from "../../lib/core/dead_letters/buffer.ts";
import type { DeadLetter } from "../../lib/core/dead_letters/dead_letter.ts";
import { RecordCursor } from "../../lib/core/records/record_batch.ts";
import { encodeRecordBatch } from "../../lib/core/records/record_encoder.ts";
import { newSha256 } from "../../lib/io/sha256.ts";

/** Stands for the hash of what a letter has from its record: each offset has its own. */
export function contentHash(offset: number): Uint8Array {
  return new Uint8Array(32).fill(offset % 251).fill(Math.floor(offset / 251), 0, 1);
}

export function toColumns(letters: Iterable<DeadLetter>): DeadLetters {
  const columns = new DeadLetters();
  for (const { partition, offset, reason, recordTimestampMs: timestampMs, ...parts } of letters) {
    const cursor = new RecordCursor(encodeRecordBatch(offset, [{ timestampMs, ...parts }]));
    cursor.next();
    columns.add(cursor, { partition, reason, newSha256 });
  }
  return columns;
}

export function toLetters(columns: DeadLetters): DeadLetter[] {
  const { partitions, offsets, reasons, recordTimestampsMs, contents } = columns;
  const headers = [...columns.headers()];
  let at = 0;
  const take = (length: number) => Number.isNaN(length) ? null : contents.slice(at, at += length);
  return reasons.map((reason, n) => ({
    partition: partitions[n]!,
    offset: offsets[n]!,
    reason,
    recordTimestampMs: recordTimestampsMs[n]!,
    key: take(columns.keyLengths[n]!),
    value: take(columns.valueLengths[n]!),
    headers: headers[n]!,
    cut: columns.cuts.get(n) ?? null,
  }));
}

/**
 * Splits a large batch into small ones while its bytes come: whatever its size and
 * compression, only a piece of it is held.
 * @module
 */

import { type LargeRecord, readLargeRecord } from "./large_record.ts";
import { MAX_PART_BYTES, type NewSha256, type RecordBatch, RecordCursor } from "./record_batch.ts";
import { encodeRecords } from "./record_encoder.ts";
import { malformed, type UnreadableBatchError } from "./unreadable_batch.ts";
import { VarintReader } from "./varint_reader.ts";

export type BatchHead = Omit<RecordBatch, "records" | "cut">;

/** A piece ends with the record that reaches this: it is counted without a pause. */
const PIECE_BYTES = 1 << 20;
/** A longer record is not held as a whole. */
const MAX_RECORD_BYTES = MAX_PART_BYTES;
export type Chunks = readonly Uint8Array[] | Iterable<Uint8Array> | AsyncIterable<Uint8Array>;

/** The records of these bytes, in pieces; a small batch in one. */
export function piecesOf(
  head: BatchHead,
  chunks: Chunks,
  newSha256: NewSha256,
): Iterable<RecordBatch> | AsyncIterable<RecordBatch> {
  if (Array.isArray(chunks) && chunks.length === 1 && chunks[0].length <= MAX_RECORD_BYTES) {
    return [{ ...head, records: chunks[0] }];
  }
  return split(head, chunks, newSha256);
}

async function* split(
  head: BatchHead,
  chunks: Chunks,
  newSha256: NewSha256,
): AsyncGenerator<RecordBatch> {
  const splitter = new RecordSplitter(head, newSha256);
  // One behind: only the last piece has the batch's own end and checksum.
  let piece: RecordBatch | null = null;
  for await (const chunk of chunks) {
    for (const next of splitter.take(chunk)) {
      if (piece) yield piece;
      piece = next;
    }
  }
  splitter.assertEnd();
  yield {
    ...piece ?? { ...head, records: new Uint8Array() },
    nextOffset: head.nextOffset,
    crc: head.crc,
  };
}

/** How many bytes were used, and the piece that they complete. */
interface Step {
  readonly used: number;
  readonly piece: RecordBatch | null;
}

class RecordSplitter {
  readonly #head: BatchHead;
  readonly #newSha256: NewSha256;
  /** The part of a record that has come. */
  #begun: Uint8Array = new Uint8Array();
  /** Reads a record that is too large to be held. */
  #large: Generator<void, LargeRecord, Uint8Array> | null = null;
  #records = 0;
  #nextOffset: number;
  readonly #malformed: () => UnreadableBatchError;

  constructor(head: BatchHead, newSha256: NewSha256) {
    this.#head = head;
    this.#newSha256 = newSha256;
    this.#nextOffset = head.baseOffset;
    this.#malformed = () => malformed(head);
  }

  /** Takes the next bytes, and yields the pieces that are complete. */
  *take(chunk: Uint8Array): Generator<RecordBatch> {
    for (let at = 0; at < chunk.length;) {
      const { used, piece } = this.#step(chunk.subarray(at));
      at += used;
      if (piece) yield piece;
    }
  }

  /** @throws {UnreadableBatchError} unless all records have come, and nothing else. */
  assertEnd(): void {
    const isEnd = this.#large === null && this.#begun.length === 0;
    if (!isEnd || this.#records !== this.#head.recordCount) throw this.#malformed();
  }

  #step(bytes: Uint8Array): Step {
    if (this.#large) return this.#readOn(this.#large, bytes);
    return this.#begun.length > 0 ? this.#complete(bytes) : this.#cut(bytes);
  }

  /** Takes as many whole records as a piece may have, or begins the next one. */
  #cut(bytes: Uint8Array): Step {
    const reader = this.#readerOf(bytes);
    let [end, lastAt, count] = [0, 0, 0];
    while (end < PIECE_BYTES) {
      const size = this.#sizeAt(end, reader);
      if (size === null || size > MAX_RECORD_BYTES || end + size > bytes.length) break;
      lastAt = end;
      end += size;
      count++;
    }
    if (count > 0) {
      const last = new RecordCursor({
        ...this.#head,
        recordCount: 1,
        records: bytes.subarray(lastAt, end),
      });
      last.next();
      return { used: end, piece: this.#piece(bytes.subarray(0, end), count, last.offset) };
    }
    return this.#begin(bytes);
  }

  #begin(bytes: Uint8Array): Step {
    const size = this.#sizeAt(0, this.#readerOf(bytes));
    if (size === null || size <= MAX_RECORD_BYTES) {
      this.#begun = bytes.slice();
      return { used: bytes.length, piece: null };
    }
    this.#large = readLargeRecord(this.#newSha256(), this.#malformed);
    this.#large.next();
    return this.#readOn(this.#large, bytes);
  }

  #complete(bytes: Uint8Array): Step {
    const size = this.#sizeAt(0, this.#readerOf(this.#begun));
    const used = Math.min(bytes.length, size === null ? 1 : size - this.#begun.length);
    const begun = concat(this.#begun, bytes.subarray(0, used));
    this.#begun = new Uint8Array();
    const { piece } = this.#cut(begun);
    return { used, piece };
  }

  #readOn(large: Generator<void, LargeRecord, Uint8Array>, bytes: Uint8Array): Step {
    const { done, value } = large.next(bytes);
    if (!done) return { used: bytes.length, piece: null };
    this.#large = null;
    const { cut, offsetDelta, timestampDelta, unread } = value;
    const records = encodeRecords([{ record: value, offsetDelta, timestampDelta }]);
    const piece = this.#piece(records, 1, this.#head.baseOffset + offsetDelta);
    return { used: bytes.length - unread, piece: { ...piece, cut: cut ?? undefined } };
  }

  #piece(records: Uint8Array, recordCount: number, lastOffset: number): RecordBatch {
    this.#records += recordCount;
    if (this.#records > this.#head.recordCount) throw this.#malformed();
    // Whatever offset a record claims, the position stays within the batch and never falls.
    const nextOffset = Math.min(lastOffset + 1, this.#head.nextOffset);
    this.#nextOffset = Math.max(this.#nextOffset, nextOffset);
    return { ...this.#head, recordCount, nextOffset: this.#nextOffset, crc: null, records };
  }

  /** Bytes of the record at a position, with its length; null if they are too few to tell. */
  #sizeAt(at: number, reader: VarintReader): number | null {
    reader.at = at;
    const length = reader.int32();
    if (reader.at > reader.bytes.length) return null;
    if (length < 0) throw this.#malformed();
    return reader.at - at + length;
  }

  #readerOf(bytes: Uint8Array): VarintReader {
    return new VarintReader(bytes, this.#malformed);
  }
}

function concat(head: Uint8Array, tail: Uint8Array): Uint8Array {
  const whole = new Uint8Array(head.length + tail.length);
  whole.set(head);
  whole.set(tail, head.length);
  return whole;
}

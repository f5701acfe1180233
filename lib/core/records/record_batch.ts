/**
 * Record batches: how records travel from every source to the count.
 *
 * A batch stays the bytes that Kafka stores (format version 2, decompressed)
 * and its records are walked in place, so that no object is made per record.
 * @see https://kafka.apache.org/documentation/#recordbatch
 * @module
 */

import { malformed } from "./unreadable_batch.ts";
import { VarintReader } from "./varint_reader.ts";

/** Offsets are exact below 2^53; the decoder refuses greater ones. */
export interface RecordBatch {
  /** Offset that a record's offset delta is added to. */
  readonly baseOffset: number;
  /** Offset that follows the batch, also if its last records were compacted away. */
  readonly nextOffset: number;
  /** Number of records; 0 for control batches and aborted transactions. */
  readonly recordCount: number;
  /** Timestamp that a record's timestamp delta is added to; −1 if the producer set none. */
  readonly baseTimestampMs: number;
  /** Greatest timestamp of the batch; with `isLogAppendTime` the one of every record. */
  readonly maxTimestampMs: number;
  readonly isLogAppendTime: boolean;
  /** That of the batch in its log; null in all of its pieces but the last. */
  readonly crc: number | null;
  readonly records: Uint8Array;
  /** What its only record has lost, if it was too large to be held. */
  readonly cut?: Cut | undefined;
}

/**
 * Most bytes that are held of a record's key, of its value, and of its headers. No event is so
 * large: a larger record is kept as a dead letter, up to this size.
 */
export const MAX_PART_BYTES = 1 << 20;
/** Most headers of a record that are held. */
export const MAX_HEADERS = 1_000;

/** Facts about a record that is held only in part. */
export interface Cut {
  /** Its true size in bytes; null if it has none. */
  readonly keySize: number | null;
  readonly valueSize: number | null;
  /** That of all headers, with their lengths. */
  readonly headersSize: number;
  /** SHA-256 of the bytes of key, value and headers in the log, with their lengths. */
  readonly sha256: Uint8Array;
}

export interface Hash {
  update(bytes: Uint8Array): unknown;
  digest(): Uint8Array;
}

export type NewSha256 = () => Hash;

/** A header of a record: Kafka allows any bytes as the value, and none. */
export interface RecordHeader {
  readonly key: Uint8Array;
  readonly value: Uint8Array | null;
}

/**
 * Walks the records of a batch: a reader itself, because a second object would slow it down. After
 * `next()` has returned true the fields describe one record as ranges of `bytes`; a range that
 * starts at −1 is null.
 */
export class RecordCursor extends VarintReader {
  offset = 0;
  timestampMs = -1;
  keyStart = -1;
  keyEnd = -1;
  valueStart = -1;
  valueEnd = -1;
  /** Bytes of the value, also those that are not held; 0 for null. */
  valueSize = 0;
  #keyAt = 0;
  #headersAt = 0;
  #left: number;
  readonly #batch: RecordBatch;

  constructor(batch: RecordBatch) {
    super(batch.records, () => malformed(batch));
    this.#batch = batch;
    this.#left = batch.recordCount;
  }

  /**
   * Steps to the next record; false after the last.
   * @throws {UnreadableBatchError} if the records do not fill their batch exactly.
   */
  next(): boolean {
    const { bytes } = this;
    if (this.#left === 0) {
      if (this.at !== bytes.length) throw malformed(this.#batch);
      return false;
    }
    this.#left--;

    const length = this.int32();
    const end = this.at + length;
    if (length < 0 || end > bytes.length) throw malformed(this.#batch);

    this.at++; // attributes: unused by Kafka
    const timestampDelta = this.int64();
    this.timestampMs = this.#batch.isLogAppendTime
      ? this.#batch.maxTimestampMs
      : this.#batch.baseTimestampMs + timestampDelta;
    this.offset = this.#batch.baseOffset + this.int32();

    this.#keyAt = this.at;
    const keyLength = this.int32();
    this.keyStart = keyLength < 0 ? -1 : this.at;
    if (keyLength > 0) this.at += keyLength;
    this.keyEnd = this.at;

    const valueLength = this.int32();
    this.valueStart = valueLength < 0 ? -1 : this.at;
    if (valueLength > 0) this.at += valueLength;
    this.valueEnd = this.at;
    this.valueSize = this.#batch.cut?.valueSize ?? Math.max(0, valueLength);

    if (this.at >= end) throw malformed(this.#batch); // the count of headers takes a byte
    this.#headersAt = this.at;
    this.at = end;
    return true;
  }

  /** Copy of the key; it does not hold on to the batch. */
  key(): Uint8Array | null {
    return this.#copy(this.keyStart, this.keyEnd);
  }

  /** Copy of the value; it does not hold on to the batch. */
  value(): Uint8Array | null {
    return this.#copy(this.valueStart, this.valueEnd);
  }

  /** Copies of the headers, in their order, as far as they are held. */
  headers(): readonly RecordHeader[] {
    return decodeHeaders(this.headerBytes());
  }

  /** The number of all headers and the bytes of those that are held; a part of `bytes`. */
  headerBytes(): Uint8Array {
    const end = this.at;
    const count = this.#headerCount();
    for (let left = Math.min(count, MAX_HEADERS); left > 0 && this.at <= end; left--) {
      this.#skip();
      this.#skip();
    }
    const heldEnd = this.at;
    const isWhole = count <= MAX_HEADERS ? heldEnd === end : heldEnd <= end;
    if (!isWhole) throw malformed(this.#batch);
    this.at = end;
    return this.bytes.subarray(this.#headersAt, heldEnd);
  }

  /** What of the record is not held; null if all of it is. */
  cut(newSha256: NewSha256): Cut | null {
    if (this.#batch.cut) return this.#batch.cut;
    const end = this.at;
    const count = this.#headerCount();
    this.at = end;
    if (count <= MAX_HEADERS) return null;
    const hash = newSha256();
    hash.update(this.bytes.subarray(this.#keyAt, end));
    return {
      keySize: this.keyStart < 0 ? null : this.keyEnd - this.keyStart,
      valueSize: this.valueStart < 0 ? null : this.valueSize,
      headersSize: end - this.#headersAt,
      sha256: hash.digest(),
    };
  }

  #headerCount(): number {
    this.at = this.#headersAt;
    return this.int32();
  }

  #skip(): void {
    const length = this.int32();
    if (length > 0) this.at += length;
  }

  #copy(start: number, end: number): Uint8Array | null {
    return start < 0 ? null : this.bytes.slice(start, end);
  }
}

/** Copies of the headers in what `headerBytes()` has returned. */
export function decodeHeaders(bytes: Uint8Array): readonly RecordHeader[] {
  const reader = new VarintReader(bytes, () => new RangeError("These are no headers"));
  const part = () => {
    const length = reader.int32();
    return length < 0 ? null : bytes.slice(reader.at, reader.at += length);
  };
  const length = Math.min(reader.int32(), MAX_HEADERS);
  return Array.from({ length }, () => ({ key: part() ?? new Uint8Array(), value: part() }));
}

/**
 * Record batches: how records travel from every source to the count.
 *
 * A batch stays the bytes that Kafka stores (format version 2, decompressed)
 * and its records are walked in place, so that no object is made per record.
 * @see https://kafka.apache.org/documentation/#recordbatch
 * @module
 */

/** One record batch. Offsets are exact below 2^53; the decoder refuses greater ones. */
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
  /** CRC-32C that the producer or broker gave the batch, as an unsigned number; null if its source has none. */
  readonly crc: number | null;
  /** The records, one after the other. Decompressed anew with each access: take it once. */
  readonly records: Uint8Array;
}

/** What one read of one partition gave. */
export interface Fetched {
  readonly partition: number;
  /** Offset that was asked for. */
  readonly fetchedOffset: number;
  /** Offset to ask for next; beyond `fetchedOffset` even if no batch holds a record. */
  readonly nextOffset: number;
  /** End of the log as far as it may be read, when this was read. */
  readonly endOffset: number;
  readonly batches: readonly RecordBatch[];
}

/** A header of a record: Kafka allows any bytes as the value, and none. */
export interface RecordHeader {
  readonly key: Uint8Array;
  readonly value: Uint8Array | null;
}

const NO_HEADERS: readonly RecordHeader[] = [];

/**
 * Walks the records of a batch. After `next()` has returned true the fields
 * describe one record as ranges of `bytes`; a range that starts at −1 is null.
 */
export class RecordCursor {
  offset = 0;
  timestampMs = -1;
  keyStart = -1;
  keyEnd = -1;
  valueStart = -1;
  valueEnd = -1;
  #at = 0;
  #headersAt = 0;
  #left: number;
  readonly #batch: RecordBatch;
  /** The batch's records. */
  readonly bytes: Uint8Array;

  constructor(batch: RecordBatch) {
    this.#batch = batch;
    this.#left = batch.recordCount;
    this.bytes = batch.records;
  }

  /**
   * Steps to the next record; false after the last.
   * @throws {RangeError} if the records do not fill their batch exactly.
   */
  next(): boolean {
    const { bytes } = this;
    if (this.#left === 0) {
      if (this.#at !== bytes.length) throw corrupt(this.#batch);
      return false;
    }
    this.#left--;

    const length = this.#varint();
    const end = this.#at + length;
    if (length < 0 || end > bytes.length) throw corrupt(this.#batch);

    this.#at++; // attributes: unused by Kafka
    const timestampDelta = this.#varlong();
    this.timestampMs = this.#batch.isLogAppendTime
      ? this.#batch.maxTimestampMs
      : this.#batch.baseTimestampMs + timestampDelta;
    this.offset = this.#batch.baseOffset + this.#varint();

    const keyLength = this.#varint();
    this.keyStart = keyLength < 0 ? -1 : this.#at;
    if (keyLength > 0) this.#at += keyLength;
    this.keyEnd = this.#at;

    const valueLength = this.#varint();
    this.valueStart = valueLength < 0 ? -1 : this.#at;
    if (valueLength > 0) this.#at += valueLength;
    this.valueEnd = this.#at;

    if (this.#at >= end) throw corrupt(this.#batch); // the count of headers takes a byte
    this.#headersAt = this.#at;
    this.#at = end;
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

  /** Copies of the headers, in their order. */
  headers(): readonly RecordHeader[] {
    const resumeAt = this.#at;
    this.#at = this.#headersAt;
    const count = this.#varint();
    if (count === 0 && this.#at === resumeAt) return NO_HEADERS;
    const headers: RecordHeader[] = [];
    for (let left = count; left > 0 && this.#at <= resumeAt; left--) {
      headers.push({ key: this.#bytes() ?? new Uint8Array(), value: this.#bytes() });
    }
    if (this.#at !== resumeAt) throw corrupt(this.#batch);
    return headers;
  }

  #bytes(): Uint8Array | null {
    const length = this.#varint();
    if (length < 0) return null;
    const start = this.#at;
    this.#at += length;
    return this.#copy(start, this.#at);
  }

  #copy(start: number, end: number): Uint8Array | null {
    return start < 0 ? null : this.bytes.slice(start, end);
  }

  /** Zig-zag number of up to 32 bits. */
  #varint(): number {
    const { bytes } = this;
    let byte = bytes[this.#at++]!;
    let value = byte & 0x7f;
    for (let shift = 7; byte >= 0x80; shift += 7) {
      if (shift > 28) throw corrupt(this.#batch);
      byte = bytes[this.#at++]!;
      value |= (byte & 0x7f) << shift;
    }
    return (value >>> 1) ^ -(value & 1);
  }

  /** Zig-zag number of up to 64 bits, exact below 2^53. */
  #varlong(): number {
    const { bytes } = this;
    let byte = bytes[this.#at++]!;
    let value = byte & 0x7f;
    for (let scale = 0x80; byte >= 0x80; scale *= 0x80) {
      if (scale > 2 ** 63) throw corrupt(this.#batch);
      byte = bytes[this.#at++]!;
      value += (byte & 0x7f) * scale;
    }
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }
}

function corrupt(batch: RecordBatch): RangeError {
  return new RangeError(
    `Cannot read the record batch at offset ${batch.baseOffset}: its ${batch.recordCount} records ` +
      `do not fill its bytes exactly`,
  );
}

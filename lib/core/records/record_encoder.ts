/**
 * Records to a record batch, for sources that are not Kafka: the generator and the
 * file hand over the same bytes as a broker would, and are counted by the same code.
 * @module
 */

import type { Cut, RecordBatch, RecordHeader } from "./record_batch.ts";
import { MAX_VARINT_BYTES } from "./varint_reader.ts";

/** A record before it has an offset. */
export interface NewRecord {
  readonly timestampMs: number;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly headers?: readonly RecordHeader[];
  /** What is missing of a record that is too large to be held. */
  readonly cut?: Cut | null;
}

/** The records at the offsets from `baseOffset` on, uncompressed; one that is cut has to be alone. */
export function encodeRecordBatch(baseOffset: number, records: readonly NewRecord[]): RecordBatch {
  const baseTimestampMs = records[0]?.timestampMs ?? -1;
  return {
    baseOffset,
    nextOffset: baseOffset + records.length,
    recordCount: records.length,
    baseTimestampMs,
    maxTimestampMs: records.reduce((max, { timestampMs }) => Math.max(max, timestampMs), -1),
    isLogAppendTime: false,
    crc: null,
    records: encodeRecords(records.map((record, at) => ({
      record,
      offsetDelta: at,
      timestampDelta: record.timestampMs - baseTimestampMs,
    }))),
    ...records[0]?.cut && { cut: records[0].cut },
  };
}

/** As many batches as it takes: one that is cut is alone in its own. */
export function encodeRecordBatches(
  baseOffset: number,
  records: readonly NewRecord[],
): RecordBatch[] {
  const batches: RecordBatch[] = [];
  for (let start = 0; start < records.length;) {
    const cutAt = records.findIndex(({ cut }, at) => at >= start && cut);
    const end = cutAt < 0 ? records.length : Math.max(cutAt, start + 1);
    batches.push(encodeRecordBatch(baseOffset + start, records.slice(start, end)));
    start = end;
  }
  return batches;
}

/** A record and its position in its batch. */
export interface BatchRecord {
  readonly record: Omit<NewRecord, "timestampMs">;
  readonly offsetDelta: number;
  readonly timestampDelta: number;
}

/** The bytes of records, one after the other. */
export function encodeRecords(records: readonly BatchRecord[]): Uint8Array {
  const writer = new Writer(records.reduce((size, { record }) => size + maxBytes(record), 0));
  for (const record of records) writer.record(record);
  return writer.bytes();
}

function maxBytes({ key, value, headers = [] }: BatchRecord["record"]): number {
  return sizeOf(key) + sizeOf(value) + (7 + 2 * headers.length) * MAX_VARINT_BYTES +
    headers.reduce((size, header) => size + sizeOf(header.key) + sizeOf(header.value), 0);
}

class Writer {
  readonly #buffer: Uint8Array;
  #at = 0;

  constructor(maxBytes: number) {
    this.#buffer = new Uint8Array(maxBytes);
  }

  bytes(): Uint8Array {
    return this.#buffer.subarray(0, this.#at);
  }

  record({ record, offsetDelta, timestampDelta }: BatchRecord): void {
    const { key, value, headers = [] } = record;
    const length = 1 + varintSize(timestampDelta) + varintSize(offsetDelta) + partSize(key) +
      partSize(value) + varintSize(headers.length) +
      headers.reduce((size, header) => size + partSize(header.key) + partSize(header.value), 0);
    this.#varint(length);
    this.#buffer[this.#at++] = 0; // attributes
    this.#varint(timestampDelta);
    this.#varint(offsetDelta);
    this.#bytes(key);
    this.#bytes(value);
    this.#varint(headers.length);
    for (const header of headers) {
      this.#bytes(header.key);
      this.#bytes(header.value);
    }
  }

  #bytes(bytes: Uint8Array | null): void {
    this.#varint(bytes?.length ?? -1);
    if (!bytes) return;
    this.#buffer.set(bytes, this.#at);
    this.#at += bytes.length;
  }

  #varint(value: number): void {
    let rest = zigZag(value);
    while (rest >= 0x80) {
      this.#buffer[this.#at++] = rest % 0x80 | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    this.#buffer[this.#at++] = rest;
  }
}

function sizeOf(bytes: Uint8Array | null): number {
  return bytes?.length ?? 0;
}

/** With its length in front. */
function partSize(bytes: Uint8Array | null): number {
  return varintSize(bytes?.length ?? -1) + sizeOf(bytes);
}

/** Signed to unsigned, small to small: 0, −1, 1, −2 … become 0, 1, 2, 3 … */
function zigZag(value: number): number {
  return value < 0 ? -2 * value - 1 : 2 * value;
}

function varintSize(value: number): number {
  let size = 1;
  for (let rest = zigZag(value); rest >= 0x80; rest = Math.floor(rest / 0x80)) size++;
  return size;
}

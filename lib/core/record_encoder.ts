/**
 * Records to a record batch, for sources that are not Kafka: the generator and the
 * file hand over the same bytes as a broker would, and are counted by the same code.
 * @module
 */

import type { RecordBatch } from "./record_batch.ts";

/** A record before it has an offset. */
export interface NewRecord {
  readonly timestampMs: number;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
}

/** The records at the offsets from `baseOffset` on, without headers, uncompressed. */
export function encodeRecordBatch(baseOffset: number, records: readonly NewRecord[]): RecordBatch {
  const baseTimestampMs = records[0]?.timestampMs ?? -1;
  const writer = new Writer(records);
  for (const [delta, record] of records.entries()) {
    writer.record(record, { delta, timestampDelta: record.timestampMs - baseTimestampMs });
  }
  return {
    baseOffset,
    nextOffset: baseOffset + records.length,
    recordCount: records.length,
    baseTimestampMs,
    maxTimestampMs: records.reduce((max, { timestampMs }) => Math.max(max, timestampMs), -1),
    isLogAppendTime: false,
    crc: null,
    records: writer.bytes(),
  };
}

/** Most that a record takes besides its key and value: six numbers. */
const RECORD_OVERHEAD = 6 * 10;

class Writer {
  readonly #buffer: Uint8Array;
  #at = 0;

  constructor(records: readonly NewRecord[]) {
    this.#buffer = new Uint8Array(
      records.reduce((sum, { key, value }) => sum + sizeOf(key) + sizeOf(value), 0) +
        records.length * RECORD_OVERHEAD,
    );
  }

  bytes(): Uint8Array {
    return this.#buffer.subarray(0, this.#at);
  }

  record(
    { key, value }: NewRecord,
    { delta, timestampDelta }: { readonly delta: number; readonly timestampDelta: number },
  ): void {
    const length = 1 + varintSize(timestampDelta) + varintSize(delta) +
      varintSize(key?.length ?? -1) + sizeOf(key) +
      varintSize(value?.length ?? -1) + sizeOf(value) + 1;
    this.#varint(length);
    this.#buffer[this.#at++] = 0; // attributes
    this.#varint(timestampDelta);
    this.#varint(delta);
    this.#bytes(key);
    this.#bytes(value);
    this.#buffer[this.#at++] = 0; // number of headers
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

/** Signed to unsigned, small to small: 0, −1, 1, −2 … become 0, 1, 2, 3 … */
function zigZag(value: number): number {
  return value < 0 ? -2 * value - 1 : 2 * value;
}

function varintSize(value: number): number {
  let size = 1;
  for (let rest = zigZag(value); rest >= 0x80; rest = Math.floor(rest / 0x80)) size++;
  return size;
}

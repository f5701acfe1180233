/**
 * Record batches written byte by byte after Kafka's documentation, independent of the encoder in lib.
 * @see https://kafka.apache.org/documentation/#recordbatch
 * @module
 */

import type { RecordBatch, RecordHeader } from "../../../lib/core/records/record_batch.ts";

const UTF8 = new TextEncoder();

export function utf8(text: string): Uint8Array {
  return UTF8.encode(text);
}

/** Zig-zag number, seven bits a byte, the lowest first. */
export function varint(value: number): number[] {
  const signed = BigInt(value);
  let rest = BigInt.asUintN(64, (signed << 1n) ^ (signed >> 63n));
  const bytes: number[] = [];
  for (; rest >= 0x80n; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  return [...bytes, Number(rest)];
}

export interface RawRecord {
  readonly offsetDelta?: number;
  readonly timestampDelta?: number;
  readonly key?: Uint8Array | null;
  readonly value?: Uint8Array | null;
  readonly headers?: readonly { readonly key: Uint8Array; readonly value: Uint8Array | null }[];
}

/** One record, its length in front. */
export function rawRecord(
  { offsetDelta = 0, timestampDelta = 0, key = null, value = null, headers = [] }: RawRecord,
): number[] {
  return withLength([
    0, // attributes
    ...varint(timestampDelta),
    ...varint(offsetDelta),
    ...withLengthOrNull(key),
    ...withLengthOrNull(value),
    ...varint(headers.length),
    ...headers.flatMap((header: RecordHeader) => [
      ...withLengthOrNull(header.key),
      ...withLengthOrNull(header.value),
    ]),
  ]);
}

export function withLength(bytes: readonly number[]): number[] {
  return [...varint(bytes.length), ...bytes];
}

function withLengthOrNull(bytes: Uint8Array | null): number[] {
  return bytes === null ? varint(-1) : withLength([...bytes]);
}

/** A batch of `recordCount` records at offset 0, unless told otherwise. */
export function rawBatch(
  records: readonly number[],
  { recordCount, ...rest }: Partial<RecordBatch> & { readonly recordCount: number },
): RecordBatch {
  return {
    baseOffset: 0,
    nextOffset: recordCount,
    recordCount,
    baseTimestampMs: 0,
    maxTimestampMs: 0,
    isLogAppendTime: false,
    crc: 0,
    records: new Uint8Array(records),
    ...rest,
  };
}

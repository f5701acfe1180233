import fc from "fast-check";
import assert from "node:assert/strict";
import {
  type Cut,
  MAX_HEADERS,
  MAX_PART_BYTES,
  type RecordBatch,
  RecordCursor,
  type RecordHeader,
} from "../../../lib/core/records/record_batch.ts";
import { type BatchRecord, encodeRecords } from "../../../lib/core/records/record_encoder.ts";
import { type BatchHead, piecesOf } from "../../../lib/core/records/record_splitter.ts";
import { UnreadableBatchError } from "../../../lib/core/records/unreadable_batch.ts";
import { newSha256 } from "../../../lib/io/sha256.ts";
import { varint } from "./batches.ts";

const BASE_OFFSET = 1_000;

/** Where a single record stands. */
const PLACE = { offsetDelta: 0, timestampDelta: 0 };

function head(recordCount: number): BatchHead {
  return {
    baseOffset: BASE_OFFSET,
    nextOffset: BASE_OFFSET + recordCount,
    recordCount,
    baseTimestampMs: 1e12,
    maxTimestampMs: 1e12,
    isLogAppendTime: false,
    crc: 7,
  };
}

/** Cuts bytes into chunks of these lengths, over and over. */
function* cutInto(bytes: Uint8Array, lengths: readonly number[]): Generator<Uint8Array> {
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const length = lengths[turn % lengths.length]!;
    yield bytes.subarray(at, at += length);
  }
}

/** What of a record is found. */
interface Found {
  readonly offset: number;
  readonly timestampMs: number;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly valueSize: number;
  readonly headers: readonly RecordHeader[];
  readonly cut: Cut | null;
}

interface Split {
  readonly pieces: readonly RecordBatch[];
  readonly records: readonly Found[];
}

async function split(of: BatchHead, chunks: Iterable<Uint8Array>): Promise<Split> {
  const pieces = await Array.fromAsync(piecesOf(of, chunks, newSha256));
  const records = pieces.flatMap((piece) => {
    const cursor = new RecordCursor(piece);
    const found: Found[] = [];
    while (cursor.next()) {
      found.push({
        offset: cursor.offset,
        timestampMs: cursor.timestampMs,
        key: cursor.key(),
        value: cursor.value(),
        valueSize: cursor.valueSize,
        headers: cursor.headers(),
        cut: cursor.cut(newSha256),
      });
    }
    return found;
  });
  return { pieces, records };
}

/** The parts that are kept of a large one. */
function kept(part: Uint8Array | null): Uint8Array | null {
  return part && part.subarray(0, MAX_PART_BYTES);
}

/** SHA-256 of key, value and headers as a log has them. */
function sha256Of({ key, value, headers = [] }: BatchRecord["record"]): Uint8Array {
  const hash = newSha256();
  const add = (part: Uint8Array | null) => {
    hash.update(new Uint8Array(varint(part?.length ?? -1)));
    if (part) hash.update(part);
  };
  add(key);
  add(value);
  hash.update(new Uint8Array(varint(headers.length)));
  for (const header of headers) {
    add(header.key);
    add(header.value);
  }
  return new Uint8Array(hash.digest());
}

function sizeOf(headers: readonly RecordHeader[]): number {
  return headers.reduce((sum, { key, value }) => sum + key.length + (value?.length ?? 0), 0);
}

function assertFound(found: Found, { record, timestampDelta }: BatchRecord): void {
  const { key, value, headers = [] } = record;
  assert.equal(found.timestampMs, head(0).baseTimestampMs + timestampDelta);
  assert.deepEqual(found.key, kept(key));
  assert.deepEqual(found.value, kept(value));
  assert.equal(found.valueSize, value?.length ?? 0);
  assert.deepEqual(found.headers, headers.slice(0, found.headers.length));
  assert.ok(sizeOf(found.headers) <= MAX_PART_BYTES);
  const isWhole = sizeOf(headers) <= MAX_PART_BYTES && headers.length <= MAX_HEADERS &&
    [key, value].every((part) => (part?.length ?? 0) <= MAX_PART_BYTES);
  if (isWhole) {
    assert.equal(found.cut, null);
    assert.equal(found.headers.length, headers.length);
    return;
  }
  const { keySize, valueSize, sha256 } = found.cut!;
  assert.deepEqual([keySize, valueSize], [key?.length ?? null, value?.length ?? null]);
  assert.deepEqual(new Uint8Array(sha256), sha256Of(record));
}

const bytesOf = (length: number, byte: number) => new Uint8Array(length).fill(byte);
/** Lengths around every limit there is; mostly small. */
const length = fc.oneof(
  { weight: 6, arbitrary: fc.nat(300) },
  { weight: 1, arbitrary: fc.constantFrom(MAX_PART_BYTES - 1, MAX_PART_BYTES, MAX_PART_BYTES + 1) },
  { weight: 1, arbitrary: fc.integer({ min: 100_000, max: 3 << 20 }) },
);
const part = fc.option(
  fc.tuple(length, fc.nat(255)).map(([length, byte]) => bytesOf(length, byte)),
);
const header = fc.record(
  { key: fc.nat(9).map((n) => bytesOf(n, 65)), value: part },
  { noNullPrototype: true },
);
const record = fc.record({ key: part, value: part, headers: fc.array(header, { maxLength: 3 }) });
const records = fc.array(record, { maxLength: 6 }).map((records): BatchRecord[] =>
  records.map((record, at) => ({ record, offsetDelta: at, timestampDelta: at * 7 - 3 }))
);
const chunkLengths = fc.array(
  fc.oneof(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 500_000, max: 4 << 20 })),
  { minLength: 1, maxLength: 3 },
).filter((lengths) => lengths.some((length) => length > 5));

Deno.test("piecesOf() gives every record, wherever its bytes are cut, and holds no large part of one", async () => {
  await fc.assert(
    fc.asyncProperty(records, chunkLengths, async (placed, lengths) => {
      const chunks = cutInto(encodeRecords(placed), lengths);
      const { pieces, records } = await split(head(placed.length), chunks);
      assert.deepEqual(
        records.map(({ offset }) => offset),
        placed.map(({ offsetDelta }) => BASE_OFFSET + offsetDelta),
      );
      for (const [at, found] of records.entries()) assertFound(found, placed[at]!);

      let nextOffset = BASE_OFFSET;
      for (const piece of pieces) {
        nextOffset += piece.recordCount;
        assert.equal(piece.nextOffset, nextOffset);
        assert.equal(piece.crc, piece === pieces.at(-1) ? head(0).crc : null);
        assert.ok(piece.records.length <= 4 * MAX_PART_BYTES);
      }
    }),
    { numRuns: 60 },
  );
});

Deno.test("piecesOf() gives a small batch as it is", () => {
  const bytes = encodeRecords([{ record: { key: null, value: null }, ...PLACE }]);
  assert.deepEqual(piecesOf(head(1), [bytes], newSha256), [{ ...head(1), records: bytes }]);
});

Deno.test("piecesOf() gives a batch without records as one piece without records", async () => {
  const { pieces } = await split(head(0), [new Uint8Array(), new Uint8Array()]);
  assert.deepEqual(pieces, [{ ...head(0), records: new Uint8Array() }]);
});

for (const headers of [MAX_HEADERS, MAX_HEADERS + 1, 400_000]) {
  Deno.test(`piecesOf() holds at most 1,000 of ${headers} headers`, async () => {
    const record = {
      key: bytesOf(3, 1),
      value: bytesOf(2, 2),
      headers: Array.from({ length: headers }, () => ({ key: bytesOf(1, 65), value: null })),
    };
    const { records: [found] } = await split(head(1), [encodeRecords([{ record, ...PLACE }])]);
    assertFound(found!, { record, ...PLACE });
    if (headers === MAX_HEADERS) return;
    assert.equal(found!.headers.length, MAX_HEADERS);
    // The count, and of each header a length, a letter and the length that says null.
    assert.equal(found!.cut!.headersSize, varint(headers).length + 3 * headers);
  });
}

const LARGE = { key: null, value: bytesOf(2 * MAX_PART_BYTES, 3) };
const MALFORMED: readonly { readonly name: string; readonly bytes: number[] | Uint8Array }[] = [
  { name: "that are cut off in a large record", bytes: largeRecord().subarray(0, -1) },
  { name: "that are cut off in a length", bytes: [...largeRecord(), 0x80] },
  { name: "with a byte more", bytes: [...largeRecord(), 0] },
  { name: "with a record more", bytes: [...largeRecord(), ...largeRecord()] },
  { name: "with a negative length", bytes: [1, ...largeRecord()] },
  { name: "with a length that does not end", bytes: [...Array(6).fill(0x80), ...largeRecord()] },
  {
    name: "with a key beyond its large record",
    bytes: [...varint(2 << 20), 0, 0, 0, ...varint(3 << 20), ...bytesOf(2 << 20, 0)],
  },
  {
    name: "with a number that does not end in a large record",
    bytes: [...varint(2 << 20), 0, ...bytesOf(2 << 20, 0xff)],
  },
];

function largeRecord(): Uint8Array {
  return encodeRecords([{ record: LARGE, ...PLACE }]);
}

for (const { name, bytes } of MALFORMED) {
  Deno.test(`piecesOf() refuses bytes ${name}`, async () => {
    for (const lengths of [[1 << 30], [100_000], [1, 1, 1, 1 << 20]]) {
      await assert.rejects(
        split(head(1), cutInto(new Uint8Array(bytes), lengths)),
        UnreadableBatchError,
      );
    }
  });
}

import assert from "node:assert/strict";
import {
  type RecordBatch,
  RecordCursor,
  type RecordHeader,
} from "../../../lib/core/records/record_batch.ts";
import { UnreadableBatchError } from "../../../lib/core/records/unreadable_batch.ts";
import { rawBatch, rawRecord, utf8, varint, withLength } from "./batches.ts";

/** A cursor on the first record. */
function first(batch: RecordBatch): RecordCursor {
  const cursor = new RecordCursor(batch);
  assert.equal(cursor.next(), true);
  return cursor;
}

/** Reads all there is, and returns the offsets. */
function walk(batch: RecordBatch): number[] {
  const offsets: number[] = [];
  for (const cursor = new RecordCursor(batch); cursor.next();) {
    cursor.key();
    cursor.value();
    cursor.headers();
    offsets.push(cursor.offset);
  }
  return offsets;
}

Deno.test("RecordCursor reads a record's bytes as Kafka documents them", () => {
  // Length 12, no attributes, timestamp delta 3, offset delta 1, key "k", value "hi",
  // one header "h" without a value.
  const bytes = [24, 0, 6, 2, 2, 0x6b, 4, 0x68, 0x69, 2, 2, 0x68, 1];
  const cursor = first(
    rawBatch(bytes, { recordCount: 1, baseOffset: 40, nextOffset: 42, baseTimestampMs: 1000 }),
  );
  assert.equal(cursor.offset, 41);
  assert.equal(cursor.timestampMs, 1003);
  assert.deepEqual(cursor.key(), utf8("k"));
  assert.deepEqual(cursor.value(), utf8("hi"));
  assert.deepEqual([cursor.keyStart, cursor.keyEnd], [5, 6]);
  assert.deepEqual([cursor.valueStart, cursor.valueEnd], [7, 9]);
  assert.deepEqual(cursor.headers(), [{ key: utf8("h"), value: null }]);
  assert.equal(cursor.next(), false);
});

const HEADERS: readonly { readonly name: string; readonly headers: readonly RecordHeader[] }[] = [
  { name: "no headers", headers: [] },
  { name: "a header", headers: [{ key: utf8("trace"), value: utf8("abc") }] },
  { name: "a header with a null value", headers: [{ key: utf8("trace"), value: null }] },
  { name: "a header with an empty value", headers: [{ key: utf8("t"), value: new Uint8Array() }] },
  { name: "a header with an empty key", headers: [{ key: new Uint8Array(), value: utf8("v") }] },
  {
    name: "headers in their order, with one key twice",
    headers: [
      { key: utf8("b"), value: utf8("1") },
      { key: utf8("a"), value: null },
      { key: utf8("b"), value: utf8("2") },
    ],
  },
  {
    name: "headers of any bytes",
    headers: [{ key: new Uint8Array([0xff, 0]), value: new Uint8Array([0, 0xfe, 0x80]) }],
  },
  {
    name: "200 headers of 100 bytes",
    headers: Array.from({ length: 200 }, () => ({ key: utf8("k"), value: utf8("v".repeat(100)) })),
  },
];

for (const { name, headers } of HEADERS) {
  Deno.test(`headers() gives ${name}, as often as asked, and lets the cursor continue`, () => {
    const records = [
      ...rawRecord({ value: utf8("first"), headers }),
      ...rawRecord({ offsetDelta: 1, value: utf8("second") }),
    ];
    const cursor = first(rawBatch(records, { recordCount: 2 }));
    assert.deepEqual(cursor.headers(), headers);
    assert.deepEqual(cursor.headers(), headers);
    assert.equal(cursor.next(), true);
    assert.deepEqual(cursor.value(), utf8("second"));
    assert.deepEqual(cursor.headers(), []);
    assert.equal(cursor.next(), false);
  });
}

Deno.test("RecordCursor skips headers that nobody reads", () => {
  const headers = [{ key: utf8("k"), value: utf8("v") }];
  const records = [0, 1, 2].flatMap((offsetDelta) => rawRecord({ offsetDelta, headers }));
  const cursor = new RecordCursor(rawBatch(records, { recordCount: 3 }));
  const offsets: number[] = [];
  while (cursor.next()) offsets.push(cursor.offset);
  assert.deepEqual(offsets, [0, 1, 2]);
});

Deno.test("RecordCursor keeps the offsets of records that compaction left over", () => {
  const records = [3, 7].flatMap((offsetDelta) => rawRecord({ offsetDelta }));
  assert.deepEqual(
    walk(rawBatch(records, { recordCount: 2, baseOffset: 100, nextOffset: 110 })),
    [103, 107],
  );
});

Deno.test("next() is false at once for a batch without records, and stays so", () => {
  const cursor = new RecordCursor(rawBatch([], { recordCount: 0, nextOffset: 1 }));
  assert.deepEqual([cursor.next(), cursor.next(), cursor.next()], [false, false, false]);
});

Deno.test("RecordCursor gives every record the batch's max timestamp with LogAppendTime", () => {
  const records = [-5, 0, 700].flatMap((timestampDelta, offsetDelta) =>
    rawRecord({ offsetDelta, timestampDelta })
  );
  const timestamps = (isLogAppendTime: boolean) => {
    const cursor = new RecordCursor(
      rawBatch(records, {
        recordCount: 3,
        baseTimestampMs: 1000,
        maxTimestampMs: 9000,
        isLogAppendTime,
      }),
    );
    const found: number[] = [];
    while (cursor.next()) found.push(cursor.timestampMs);
    return found;
  };
  assert.deepEqual(timestamps(true), [9000, 9000, 9000]);
  assert.deepEqual(timestamps(false), [995, 1000, 1700]);
});

Deno.test("key(), value() and headers() are copies that outlive the batch", () => {
  const batch = rawBatch(
    rawRecord({
      key: utf8("key"),
      value: utf8("value"),
      headers: [{ key: utf8("name"), value: utf8("content") }],
    }),
    { recordCount: 1 },
  );
  const cursor = first(batch);
  const copies = { key: cursor.key(), value: cursor.value(), headers: cursor.headers() };
  batch.records.fill(0);
  assert.deepEqual(copies, {
    key: utf8("key"),
    value: utf8("value"),
    headers: [{ key: utf8("name"), value: utf8("content") }],
  });
  for (
    const bytes of [copies.key, copies.value, copies.headers[0]!.key, copies.headers[0]!.value]
  ) {
    assert.notEqual(bytes!.buffer, batch.records.buffer);
  }
});

const RECORD = rawRecord({ key: utf8("k"), value: utf8("v") });
const HEADERLESS = [0, 0, 0, ...varint(-1), ...varint(-1)];
/** Continuation bytes: a number that does not end. */
const ENDLESS = (length: number) => new Array<number>(length).fill(0x80);

const CORRUPT: readonly {
  readonly name: string;
  readonly records: readonly number[];
  readonly recordCount?: number;
}[] = [
  { name: "no bytes", records: [] },
  { name: "a record cut off", records: RECORD.slice(0, -1) },
  { name: "only a record's length", records: RECORD.slice(0, 1) },
  { name: "a byte after the last record", records: [...RECORD, 0] },
  { name: "bytes without a record", records: [0], recordCount: 0 },
  { name: "one record less than counted", records: RECORD, recordCount: 2 },
  { name: "far fewer records than counted", records: RECORD, recordCount: 0x7fff_ffff },
  { name: "one record more than counted", records: [...RECORD, ...RECORD] },
  { name: "a negative count of records", records: RECORD, recordCount: -1 },
  { name: "a record of length 0", records: varint(0) },
  { name: "a record of negative length", records: [...varint(-5), ...RECORD.slice(1)] },
  { name: "a length beyond the batch", records: [...varint(1000), ...RECORD.slice(1)] },
  { name: "a length of 2^31 - 1", records: [...varint(0x7fff_ffff), ...RECORD.slice(1)] },
  { name: "a length that does not end", records: ENDLESS(100) },
  { name: "a record without a count of headers", records: withLength(HEADERLESS) },
  {
    name: "a key beyond its record",
    records: withLength([0, 0, 0, ...varint(9), 1, 2, ...varint(0), 0]),
  },
  {
    name: "a value beyond its record",
    records: withLength([0, 0, 0, ...varint(-1), ...varint(9), 1, 2, 0]),
  },
  {
    name: "a value that reaches into the next record",
    records: [...withLength([0, 0, 0, ...varint(-1), ...varint(4), 1, 0]), ...RECORD],
    recordCount: 2,
  },
  {
    name: "a key of 2^31 - 1 bytes",
    records: withLength([0, 0, 0, ...varint(0x7fff_ffff), ...varint(0), 0]),
  },
  {
    name: "a timestamp that does not end",
    records: withLength([0, ...ENDLESS(200), 0, ...HEADERLESS.slice(2), 0]),
  },
  { name: "a header less than counted", records: withLength([...HEADERLESS, ...varint(1)]) },
  {
    name: "2^31 - 1 headers",
    records: withLength([...HEADERLESS, ...varint(0x7fff_ffff)]),
  },
  {
    name: "a header that reaches into the next record",
    records: [...withLength([...HEADERLESS, ...varint(1), ...varint(3), 0x61]), ...RECORD],
    recordCount: 2,
  },
  {
    name: "a header's value beyond the batch",
    records: withLength([...HEADERLESS, ...varint(1), ...varint(0), ...varint(500)]),
  },
  {
    name: "a byte after the last header",
    records: withLength([...HEADERLESS, ...varint(1), ...varint(0), ...varint(0), 0]),
  },
  {
    name: "a count of headers that reaches into the next record",
    records: [...withLength([...HEADERLESS, 0x81]), ...withLength([...HEADERLESS, 0])],
    recordCount: 2,
  },
  {
    name: "a count of headers that reaches beyond the batch",
    records: withLength([...HEADERLESS, 0x80]),
  },
];

Deno.test("next() refuses a record without a count of headers, even if nobody reads them", () => {
  const cursor = new RecordCursor(rawBatch(withLength(HEADERLESS), { recordCount: 1 }));
  assert.throws(() => cursor.next(), RangeError);
});

for (const { name, records, recordCount = 1 } of CORRUPT) {
  Deno.test(`RecordCursor refuses ${name}`, () => {
    assert.throws(
      () => walk(rawBatch(records, { recordCount, baseOffset: 77 })),
      (error) => error instanceof UnreadableBatchError && error.baseOffset === 77,
    );
  });
}

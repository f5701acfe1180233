import fc from "fast-check";
import assert from "node:assert/strict";
import { type RecordBatch, RecordCursor } from "../../../lib/core/records/record_batch.ts";
import { encodeRecordBatch, type NewRecord } from "../../../lib/core/records/record_encoder.ts";
import { rawRecord, utf8 } from "./batches.ts";

interface ReadRecord extends NewRecord {
  readonly offset: number;
}

function read(batch: RecordBatch): ReadRecord[] {
  const records: ReadRecord[] = [];
  for (const cursor = new RecordCursor(batch); cursor.next();) {
    records.push({
      offset: cursor.offset,
      timestampMs: cursor.timestampMs,
      key: cursor.key(),
      value: cursor.value(),
    });
    assert.deepEqual(cursor.headers(), []);
  }
  return records;
}

const YEAR_9999_MS = 253_402_300_799_999;

const bytes = fc.option(fc.uint8Array({ maxLength: 300 }));
const newRecord: fc.Arbitrary<NewRecord> = fc.record({
  timestampMs: fc.oneof(
    fc.constantFrom(-1, 0, 2 ** 31, 2 ** 32, YEAR_9999_MS),
    fc.integer({ min: -1, max: YEAR_9999_MS }),
    fc.integer({ min: 1_767_225_600_000, max: 1_767_225_601_000 }),
  ),
  key: bytes,
  value: bytes,
});
const newRecords = fc.array(newRecord);
const offset = fc.oneof(fc.nat(1000), fc.integer({ min: 0, max: 2 ** 52 }));

Deno.test("encodeRecordBatch() makes a batch that reads as what was put in", () => {
  fc.assert(fc.property(offset, newRecords, (baseOffset, records) => {
    assert.deepEqual(
      read(encodeRecordBatch(baseOffset, records)),
      records.map((record, delta) => ({ offset: baseOffset + delta, ...record })),
    );
  }));
});

Deno.test("encodeRecordBatch() writes the bytes that Kafka documents", () => {
  fc.assert(fc.property(newRecords, (records) => {
    const expected = records.flatMap(({ timestampMs, key, value }, offsetDelta) => {
      return rawRecord({
        offsetDelta,
        timestampDelta: timestampMs - records[0]!.timestampMs,
        key,
        value,
      });
    });
    assert.deepEqual(encodeRecordBatch(0, records).records, new Uint8Array(expected));
  }));
});

Deno.test("encodeRecordBatch() tells the batch's offsets, number and timestamps", () => {
  const times = [5_000, 9_000, 4_000];
  const { records: _, ...batch } = encodeRecordBatch(
    70,
    times.map((timestampMs) => ({ timestampMs, key: null, value: utf8("v") })),
  );
  assert.deepEqual(batch, {
    baseOffset: 70,
    nextOffset: 73,
    recordCount: 3,
    baseTimestampMs: 5_000,
    maxTimestampMs: 9_000,
    isLogAppendTime: false,
    crc: null,
  });
});

Deno.test("encodeRecordBatch() numbers 20,000 records of one batch", () => {
  const records = new Array<NewRecord>(20_000).fill({ timestampMs: 1, key: null, value: null });
  const offsets = read(encodeRecordBatch(5, records)).map(({ offset }) => offset);
  assert.deepEqual(offsets, records.map((_, delta) => 5 + delta));
});

Deno.test("encodeRecordBatch() makes an empty batch of no records, without a timestamp", () => {
  const batch = encodeRecordBatch(7, []);
  assert.deepEqual(read(batch), []);
  assert.deepEqual([batch.baseOffset, batch.nextOffset, batch.recordCount], [7, 7, 0]);
  assert.deepEqual([batch.baseTimestampMs, batch.maxTimestampMs], [-1, -1]);
});

const EDGES: readonly { readonly name: string; readonly record: NewRecord }[] = [
  { name: "no key and no value", record: { timestampMs: 1, key: null, value: null } },
  {
    name: "an empty key and value, which are not null",
    record: { timestampMs: 1, key: new Uint8Array(), value: new Uint8Array() },
  },
  { name: "no timestamp", record: { timestampMs: -1, key: null, value: utf8("v") } },
  { name: "63 bytes", record: { timestampMs: 1, key: null, value: utf8("x".repeat(63)) } },
  { name: "64 bytes", record: { timestampMs: 1, key: null, value: utf8("x".repeat(64)) } },
  { name: "a megabyte", record: { timestampMs: 1, key: null, value: new Uint8Array(2 ** 20) } },
];

for (const { name, record } of EDGES) {
  Deno.test(`encodeRecordBatch() keeps ${name}`, () => {
    assert.deepEqual(read(encodeRecordBatch(3, [record])), [{ offset: 3, ...record }]);
  });
}

const DELTAS: readonly { readonly name: string; readonly timesMs: readonly number[] }[] = [
  { name: "to the year 9999", timesMs: [0, YEAR_9999_MS] },
  { name: "back from the year 9999", timesMs: [YEAR_9999_MS, 0] },
  { name: "from none to the year 9999", timesMs: [-1, YEAR_9999_MS] },
  { name: "back to none", timesMs: [YEAR_9999_MS, -1] },
  { name: "of 32 bits and around", timesMs: [0, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32] },
  { name: "back by 32 bits and around", timesMs: [2 ** 33, 2 ** 33 - 2 ** 31, 2 ** 32, 1] },
];

for (const { name, timesMs } of DELTAS) {
  Deno.test(`encodeRecordBatch() keeps steps in time ${name}`, () => {
    const records = timesMs.map((timestampMs) => ({ timestampMs, key: null, value: null }));
    assert.deepEqual(
      read(encodeRecordBatch(0, records)).map(({ timestampMs }) => timestampMs),
      timesMs,
    );
  });
}

Deno.test("encodeRecordBatch() does not share memory with the records", () => {
  const value = utf8("value");
  const batch = encodeRecordBatch(0, [{ timestampMs: 1, key: null, value }]);
  value.fill(0);
  assert.deepEqual(read(batch)[0]!.value, utf8("value"));
});

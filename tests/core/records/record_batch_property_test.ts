import fc from "fast-check";
import assert from "node:assert/strict";
import { type RecordBatch, RecordCursor } from "../../../lib/core/records/record_batch.ts";
import { rawBatch, type RawRecord, rawRecord } from "./batches.ts";

const bytes = fc.uint8Array({ maxLength: 200 });
const header = fc.record({ key: bytes, value: fc.option(bytes) }, { noNullPrototype: true });
const rawRecords: fc.Arbitrary<Required<RawRecord>[]> = fc.array(
  fc.record({
    offsetDelta: fc.integer({ min: 0, max: 0x7fff_ffff }),
    timestampDelta: fc.integer({ min: -(2 ** 51), max: 2 ** 51 }),
    key: fc.option(bytes),
    value: fc.option(bytes),
    headers: fc.array(header, { maxLength: 4 }),
  }),
  { maxLength: 8 },
);

const batchOf = (records: readonly RawRecord[]) =>
  rawBatch(records.flatMap(rawRecord), { recordCount: records.length, baseTimestampMs: 2 ** 51 });

Deno.test("RecordCursor gives back whatever was written, headers included", () => {
  fc.assert(fc.property(rawRecords, (records) => {
    const cursor = new RecordCursor(batchOf(records));
    for (const { offsetDelta, timestampDelta, key, value, headers } of records) {
      assert.equal(cursor.next(), true);
      assert.equal(cursor.offset, offsetDelta);
      assert.equal(cursor.timestampMs, 2 ** 51 + timestampDelta);
      assert.deepEqual(cursor.key(), key);
      assert.deepEqual(cursor.value(), value);
      assert.deepEqual(cursor.headers(), headers);
    }
    assert.equal(cursor.next(), false);
  }));
});

/** Walks to the end or to a RangeError, and looks whether every range lies inside the batch. */
function walk(batch: RecordBatch): void {
  const cursor = new RecordCursor(batch);
  const isInside = (start: number, end: number) =>
    start === -1 || start >= 0 && start <= end && end <= batch.records.length;
  try {
    for (let left = batch.recordCount; cursor.next(); left--) {
      assert.ok(left > 0, "more records than counted");
      assert.ok(isInside(cursor.keyStart, cursor.keyEnd));
      assert.ok(isInside(cursor.valueStart, cursor.valueEnd));
      assert.equal(cursor.value()?.length ?? -1, lengthOf(cursor));
      cursor.headers();
    }
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
}

function lengthOf({ valueStart, valueEnd }: RecordCursor): number {
  return valueStart < 0 ? -1 : valueEnd - valueStart;
}

const change = fc.record({ at: fc.nat(), byte: fc.nat(255) });
/** A small batch is hit in its lengths more often than in its values. */
const smallBatch = fc.array(
  fc.record({
    offsetDelta: fc.nat(3),
    timestampDelta: fc.nat(3),
    key: fc.option(fc.uint8Array({ maxLength: 3 })),
    value: fc.option(fc.uint8Array({ maxLength: 3 })),
    headers: fc.array(
      fc.record({ key: fc.uint8Array({ maxLength: 2 }), value: fc.constant(null) }),
      {
        maxLength: 2,
      },
    ),
  }),
  { minLength: 1, maxLength: 4 },
).map(batchOf);
const damage = { numRuns: 2_000 };

Deno.test("RecordCursor walks a batch with changed bytes, or throws a RangeError", () => {
  const changes = fc.array(change, { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(smallBatch, changes, (batch, changes) => {
      for (const { at, byte } of changes) batch.records[at % batch.records.length] = byte;
      walk(batch);
    }),
    damage,
  );
});

Deno.test("RecordCursor refuses a batch that is cut off anywhere", () => {
  fc.assert(
    fc.property(smallBatch, fc.nat(), (batch, cut) => {
      const records = batch.records.subarray(0, cut % batch.records.length);
      const cursor = new RecordCursor({ ...batch, records });
      assert.throws(() => {
        while (cursor.next());
      }, RangeError);
    }),
    damage,
  );
});

Deno.test("RecordCursor refuses every other count of records", () => {
  const counts = fc.oneof(fc.nat(8), fc.integer({ min: -0x8000_0000, max: 0x7fff_ffff }));
  fc.assert(
    fc.property(smallBatch, counts, (batch, recordCount) => {
      fc.pre(recordCount !== batch.recordCount);
      const cursor = new RecordCursor({ ...batch, recordCount });
      assert.throws(() => {
        while (cursor.next());
      }, RangeError);
    }),
    damage,
  );
});

Deno.test("RecordCursor walks any bytes, or throws a RangeError", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), fc.nat(10), (records, recordCount) => {
      walk(rawBatch([...records], { recordCount }));
    }),
    damage,
  );
});

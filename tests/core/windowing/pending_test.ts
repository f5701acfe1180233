import assert from "node:assert/strict";
import { DeadLetters } from "../../../lib/core/dead_letters/buffer.ts";
import { encodeRecordBatch } from "../../../lib/core/records/record_encoder.ts";
import { EventParser } from "../../../lib/core/windowing/event.ts";
import { Pending, type TimeBounds } from "../../../lib/core/windowing/pending.ts";
import { newSha256 } from "../../../lib/io/sha256.ts";
import { toLetters } from "../../support/dead_letters.ts";
import { rawBatch, rawRecord, utf8 } from "../records/batches.ts";

const MINUTE_MS = 60_000;
const NOON_MS = Date.UTC(2026, 0, 1, 12);

const NOTHING = {
  partitions: [],
  counts: [],
  deadLetters: new DeadLetters(),
  events: 0,
  lateEvents: 0,
  lostRanges: [],
  batchTimestampsMs: [],
};

function newPending(): Pending {
  return new Pending({
    parser: new EventParser({ maxFutureMs: 300_000 }),
    windowMs: MINUTE_MS,
    newSha256,
  });
}

/** An event's value. */
function click(timestampMs = NOON_MS, lotteryName = "mega_draw"): string {
  return JSON.stringify({
    lottery_name: lotteryName,
    event_type: "clicked",
    timestamp: timestampMs,
  });
}

/** A batch of values, all made at noon. */
function batchOf(baseOffset: number, ...values: readonly string[]) {
  return encodeRecordBatch(
    baseOffset,
    values.map((value) => ({ timestampMs: NOON_MS, key: null, value: utf8(value) })),
  );
}

const at = (partition: number, from: number, bounds: Partial<TimeBounds> = {}) => ({
  partition,
  from,
  closedUpToMs: -Infinity,
  horizonMs: -Infinity,
  ...bounds,
});

Deno.test("count() adds up events per window, lottery and type", () => {
  const pending = newPending();
  pending.count(
    batchOf(5, click(), click(NOON_MS + 59_999), click(NOON_MS + 60_000), click(NOON_MS, "keno")),
    at(0, 5),
  );
  const { counts, events, partitions } = pending.drain();
  const eventType = "clicked";
  assert.deepEqual(counts, [
    { windowStartMs: NOON_MS, lotteryName: "mega_draw", eventType, count: 2 },
    { windowStartMs: NOON_MS, lotteryName: "keno", eventType, count: 1 },
    { windowStartMs: NOON_MS + MINUTE_MS, lotteryName: "mega_draw", eventType, count: 1 },
  ]);
  assert.equal(events, 4);
  assert.deepEqual(partitions, [{
    partition: 0,
    expectedOffset: 5,
    nextOffset: 9,
    counted: 4,
    dead: 0,
    maxEventTimeMs: NOON_MS + 60_000,
    lastBatch: null,
    caughtUp: false,
  }]);
});

Deno.test("count() keeps a bad record as it came, as copies", () => {
  const pending = newPending();
  const headers = [{ key: utf8("trace"), value: null }, { key: utf8("t"), value: utf8("1") }];
  const batch = rawBatch(
    rawRecord({ offsetDelta: 2, timestampDelta: 7, key: utf8("k"), value: utf8("bad"), headers }),
    { recordCount: 1, baseOffset: 40, nextOffset: 43, baseTimestampMs: NOON_MS },
  );
  pending.count(batch, at(3, 40));
  batch.records.fill(0);
  const { deadLetters, counts, partitions: [partition] } = pending.drain();
  assert.deepEqual(toLetters(deadLetters), [{
    partition: 3,
    offset: 42,
    reason: "not_json",
    recordTimestampMs: NOON_MS + 7,
    key: utf8("k"),
    value: utf8("bad"),
    headers,
    cut: null,
  }]);
  assert.deepEqual(counts, []);
  assert.deepEqual([partition!.counted, partition!.dead], [0, 1]);
});

Deno.test("count() keeps a tombstone, with neither key nor value", () => {
  const pending = newPending();
  pending.count(encodeRecordBatch(0, [{ timestampMs: -1, key: null, value: null }]), at(0, 0));
  assert.deepEqual(toLetters(pending.drain().deadLetters), [{
    partition: 0,
    offset: 0,
    reason: "tombstone",
    recordTimestampMs: -1,
    key: null,
    value: null,
    headers: [],
    cut: null,
  }]);
});

Deno.test("count() keeps of a record that was cut what it was", () => {
  const pending = newPending();
  const sha256 = new Uint8Array(32).fill(7);
  const cut = { keySize: null, valueSize: 5_000_000, headersSize: 1, sha256 };
  const event = { timestampMs: NOON_MS, key: null, value: utf8(click()), cut };
  pending.count(encodeRecordBatch(0, [event]), at(0, 0));
  const [letter] = toLetters(pending.drain().deadLetters);
  assert.deepEqual([letter!.reason, letter!.cut], ["value_too_large", cut]);
});

Deno.test("count() counts an event whose headers alone are too large", () => {
  const pending = newPending();
  const cut = { keySize: null, valueSize: 90, headersSize: 1e9, sha256: new Uint8Array(32) };
  const event = { timestampMs: NOON_MS, key: null, value: utf8(click()), cut };
  pending.count(encodeRecordBatch(0, [event]), at(0, 0));
  assert.equal(pending.drain().events, 1);
});

Deno.test("count() judges the future by the record's own timestamp", () => {
  const pending = newPending();
  pending.count(batchOf(0, click(NOON_MS + 300_000), click(NOON_MS + 300_001)), at(0, 0));
  const { events, deadLetters } = pending.drain();
  assert.equal(events, 1);
  assert.deepEqual(toLetters(deadLetters).map(({ offset, reason }) => [offset, reason]), [
    [1, "timestamp_in_future"],
  ]);
});

Deno.test("count() keeps partitions apart but for the counts", () => {
  const pending = newPending();
  pending.count(batchOf(10, click(), "bad"), at(0, 10));
  pending.count(batchOf(70, click(NOON_MS + 1)), at(2, 70));
  pending.count(batchOf(12, click()), at(0, 12));
  const { partitions, counts, events } = pending.drain();
  const facts = partitions.map((
    { partition, expectedOffset, nextOffset, counted, dead, maxEventTimeMs },
  ) => [partition, expectedOffset, nextOffset, counted, dead, maxEventTimeMs]);
  assert.deepEqual(facts, [
    [0, 10, 13, 2, 1, NOON_MS],
    [2, 70, 71, 1, 0, NOON_MS + 1],
  ]);
  assert.deepEqual(counts.map(({ count }) => count), [3]);
  assert.equal(events, 3);
});

Deno.test("count() from the middle of a batch skips the records before", () => {
  const pending = newPending();
  pending.count(batchOf(5, "bad", click(NOON_MS + 9), click(), "bad", click()), at(0, 7));
  const { partitions: [partition], events, deadLetters } = pending.drain();
  assert.equal(events, 2);
  assert.deepEqual(toLetters(deadLetters).map(({ offset }) => offset), [8]);
  assert.deepEqual(
    [partition!.expectedOffset, partition!.nextOffset, partition!.maxEventTimeMs],
    [7, 10, NOON_MS],
  );
});

Deno.test("count() moves behind the records that compaction took from a batch's end", () => {
  const pending = newPending();
  const batch = { ...batchOf(5, click()), nextOffset: 20, crc: 0xffff_ffff };
  pending.count(batch, at(0, 5));
  const [partition] = pending.drain().partitions;
  assert.equal(partition!.nextOffset, 20);
  assert.deepEqual(partition!.lastBatch, { lastOffset: 19, crc: 0xffff_ffff });
});

const CONTROL = rawBatch([], { recordCount: 0, baseOffset: 5, nextOffset: 6, crc: 99 });

Deno.test("count() of a control batch moves the position and leaves nothing else", () => {
  const pending = newPending();
  pending.count(CONTROL, at(0, 5));
  assert.equal(pending.isEmpty, false);
  assert.deepEqual(pending.drain(), {
    ...NOTHING,
    partitions: [{
      partition: 0,
      expectedOffset: 5,
      nextOffset: 6,
      counted: 0,
      dead: 0,
      maxEventTimeMs: null,
      lastBatch: null,
      caughtUp: false,
    }],
  });
});

Deno.test("count() of a control batch keeps the mark of the data before it", () => {
  const pending = newPending();
  pending.count({ ...batchOf(4, click()), crc: 7 }, at(0, 4));
  pending.count(CONTROL, at(0, 5));
  const { partitions: [partition], batchTimestampsMs } = pending.drain();
  assert.equal(partition!.nextOffset, 6);
  assert.deepEqual(partition!.lastBatch, { lastOffset: 4, crc: 7 });
  assert.deepEqual(batchTimestampsMs, [NOON_MS]);
});

Deno.test("the greatest event time is that of counted events only, of any batch", () => {
  const pending = newPending();
  pending.count(batchOf(0, click(NOON_MS + 5), click(NOON_MS + 400_000)), at(0, 0));
  pending.count(batchOf(2, click(NOON_MS + 3)), at(0, 2));
  pending.count(batchOf(0, "bad"), at(1, 0));
  assert.deepEqual(
    pending.drain().partitions.map(({ maxEventTimeMs }) => maxEventTimeMs),
    [NOON_MS + 5, null],
  );
});

Deno.test("an event is late if it lies before what is closed, and counted all the same", () => {
  const pending = newPending();
  const values = [click(NOON_MS - 1), click(NOON_MS), click(NOON_MS + 1), "bad"];
  pending.count(batchOf(0, ...values), at(0, 0, { closedUpToMs: NOON_MS }));
  const { events, lateEvents } = pending.drain();
  assert.deepEqual([events, lateEvents], [3, 1]);
});

Deno.test("an event for a window before the horizon is kept and not counted", () => {
  const pending = newPending();
  const values = [click(NOON_MS - 1), click(NOON_MS), click(NOON_MS + 1)];
  pending.count(batchOf(7, ...values), at(0, 7, { horizonMs: NOON_MS, closedUpToMs: NOON_MS }));
  const { events, lateEvents, deadLetters, partitions } = pending.drain();
  assert.deepEqual([events, lateEvents], [2, 0]);
  assert.deepEqual(toLetters(deadLetters).map(({ offset, reason }) => [offset, reason]), [
    [7, "expired_window"],
  ]);
  assert.deepEqual([partitions[0]!.counted, partitions[0]!.dead], [2, 1]);
});

Deno.test("no event is late while nothing is closed", () => {
  const pending = newPending();
  pending.count(batchOf(0, click(1e11)), at(0, 0));
  assert.equal(pending.drain().lateEvents, 0);
});

Deno.test("batchTimestampsMs holds a batch's own time, or the broker's with LogAppendTime", () => {
  const pending = newPending();
  const batch = batchOf(0, click());
  pending.count(batch, at(0, 0));
  pending.count(
    { ...batch, baseOffset: 1, nextOffset: 2, isLogAppendTime: true, maxTimestampMs: NOON_MS + 9 },
    at(0, 1),
  );
  assert.deepEqual(pending.drain().batchTimestampsMs, [NOON_MS, NOON_MS + 9]);
});

Deno.test("count() of a batch that is corrupt throws a RangeError", () => {
  const batch = batchOf(0, click(), click());
  const corrupt = { ...batch, records: batch.records.subarray(0, -1) };
  assert.throws(() => newPending().count(corrupt, at(0, 0)), RangeError);
});

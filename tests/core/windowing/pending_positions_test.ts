import assert from "node:assert/strict";
import { encodeRecordBatch, type NewRecord } from "../../../lib/core/records/record_encoder.ts";
import { EventParser } from "../../../lib/core/windowing/event.ts";
import { Pending } from "../../../lib/core/windowing/pending.ts";
import { newSha256 } from "../../../lib/io/sha256.ts";
import { toLetters } from "../../support/dead_letters.ts";
import { rawBatch, rawRecord, utf8 } from "../records/batches.ts";

const NOON_MS = Date.UTC(2026, 0, 1, 12);

function newPending(): Pending {
  const parser = new EventParser({ maxFutureMs: 300_000 });
  return new Pending({ parser, windowMs: 60_000, newSha256 });
}

const record = (value: string): NewRecord => ({
  timestampMs: NOON_MS,
  key: null,
  value: utf8(value),
});

const click = (lotteryName = "mega_draw") =>
  record(JSON.stringify({ lottery_name: lotteryName, event_type: "clicked", timestamp: NOON_MS }));

const at = (partition: number, from: number) => ({
  partition,
  from,
  closedUpToMs: -Infinity,
  horizonMs: -Infinity,
});

/** Something of every kind, in partition 0 up to offset 2. */
function filled(): Pending {
  const pending = newPending();
  pending.count(encodeRecordBatch(0, [click(), record("bad")]), {
    ...at(0, 0),
    closedUpToMs: Infinity,
    horizonMs: -Infinity,
  });
  return pending;
}

function assertEmpty(pending: Pending): void {
  assert.equal(pending.isEmpty, true);
  assert.equal(pending.bytes, 0);
  const { deadLetters, ...rest } = pending.drain();
  assert.deepEqual(toLetters(deadLetters), []);
  assert.deepEqual(rest, {
    partitions: [],
    counts: [],
    events: 0,
    lateEvents: 0,
    lostRanges: [],
    batchTimestampsMs: [],
  });
}

Deno.test("Pending is empty at first", () => assertEmpty(newPending()));

Deno.test("drain() hands everything over once", () => {
  const pending = filled();
  const { events, lateEvents, deadLetters, batchTimestampsMs } = pending.drain();
  assert.deepEqual([events, lateEvents, deadLetters.length], [1, 1, 1]);
  assert.deepEqual(batchTimestampsMs, [NOON_MS]);
  assertEmpty(pending);
});

Deno.test("drain() leaves a commit that later counts do not change", () => {
  const pending = filled();
  const commit = pending.drain();
  const copy = () => structuredClone({ ...commit, deadLetters: toLetters(commit.deadLetters) });
  const before = copy();
  pending.count(encodeRecordBatch(2, [click(), record("bad")]), at(0, 2));
  assert.deepEqual(copy(), before);
});

Deno.test("clear() forgets everything, positions included", () => {
  const pending = filled();
  pending.clear();
  assertEmpty(pending);
  pending.count(encodeRecordBatch(900, [click()]), at(0, 900));
  assert.deepEqual(
    pending.drain().partitions.map((
      { expectedOffset, nextOffset },
    ) => [expectedOffset, nextOffset]),
    [[900, 901]],
  );
});

for (const from of [0, 1, 3]) {
  Deno.test(`count() from ${from} throws while the partition is pending up to 2, and adds nothing`, () => {
    const pending = filled();
    const batch = encodeRecordBatch(from, [click(), record("bad")]);
    assert.throws(() => pending.count(batch, at(0, from)), /partition 0 from offset \d.*up to 2\b/);
    assert.deepEqual(pending.drain(), filled().drain());
  });
}

Deno.test("advance() from another offset than the pending one throws, and moves nothing", () => {
  const pending = filled();
  const advance = { partition: 0, from: 1, nextOffset: 9, caughtUp: true };
  assert.throws(() => pending.advance(advance), /partition 0 from offset 1\b.*up to 2\b/);
  assert.deepEqual(pending.drain(), filled().drain());
});

Deno.test("positions of one partition do not bind another", () => {
  const pending = filled();
  pending.count(encodeRecordBatch(0, [click()]), at(1, 0));
  pending.advance({ partition: 2, from: 50, nextOffset: 60, caughtUp: true });
  assert.deepEqual(
    pending.drain().partitions.map(({ partition, nextOffset, caughtUp }) => [
      partition,
      nextOffset,
      caughtUp,
    ]),
    [[0, 2, false], [1, 1, false], [2, 60, true]],
  );
});

Deno.test("advance() moves a partition over offsets without records, and counting continues there", () => {
  const pending = filled();
  pending.advance({ partition: 0, from: 2, nextOffset: 10, caughtUp: false });
  pending.count(encodeRecordBatch(10, [click()]), at(0, 10));
  const [partition] = pending.drain().partitions;
  assert.deepEqual(
    [partition!.expectedOffset, partition!.nextOffset, partition!.counted],
    [0, 11, 2],
  );
});

Deno.test("advance() without a move still says that the partition is caught up", () => {
  const pending = newPending();
  pending.advance({ partition: 0, from: 7, nextOffset: 7, caughtUp: true });
  assert.equal(pending.isEmpty, false);
  const { partitions: [partition], events } = pending.drain();
  assert.deepEqual(partition, {
    partition: 0,
    expectedOffset: 7,
    nextOffset: 7,
    counted: 0,
    dead: 0,
    maxEventTimeMs: null,
    lastBatch: null,
    caughtUp: true,
  });
  assert.equal(events, 0);
});

Deno.test("advance() takes back that a partition is caught up", () => {
  const pending = newPending();
  pending.advance({ partition: 0, from: 7, nextOffset: 7, caughtUp: true });
  pending.advance({ partition: 0, from: 7, nextOffset: 9, caughtUp: false });
  assert.equal(pending.drain().partitions[0]!.caughtUp, false);
});

Deno.test("bytes grows with new keys, not with more events of one key", () => {
  const pending = newPending();
  pending.count(encodeRecordBatch(0, [click()]), at(0, 0));
  const one = pending.bytes;
  assert.ok(one > 0);
  pending.count(encodeRecordBatch(1, [click(), click()]), at(0, 1));
  assert.equal(pending.bytes, one);
  pending.count(encodeRecordBatch(3, [click("keno")]), at(0, 3));
  assert.ok(pending.bytes > one);
});

const SIZES: readonly { readonly name: string; readonly batch: Parameters<typeof rawRecord>[0] }[] =
  [
    { name: "value", batch: { value: new Uint8Array(50_000) } },
    { name: "key", batch: { key: new Uint8Array(50_000) } },
    { name: "header", batch: { headers: [{ key: utf8("k"), value: new Uint8Array(50_000) }] } },
    { name: "header's name", batch: { headers: [{ key: new Uint8Array(50_000), value: null }] } },
  ];

for (const { name, batch } of SIZES) {
  Deno.test(`bytes grows with a dead letter's ${name}`, () => {
    const pending = newPending();
    pending.count(rawBatch(rawRecord({}), { recordCount: 1 }), at(0, 0));
    const small = pending.bytes;
    assert.ok(small > 0);
    pending.count(
      rawBatch(rawRecord(batch), { recordCount: 1, baseOffset: 1, nextOffset: 2 }),
      at(0, 1),
    );
    assert.ok(pending.bytes >= small + 50_000);
    pending.clear();
    assert.equal(pending.bytes, 0);
  });
}

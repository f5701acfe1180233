import assert from "node:assert/strict";
import { Ledger } from "../../../lib/core/offsets/ledger.ts";
import { logBatchOf } from "../../../lib/core/records/log_batch.ts";
import type { RecordBatch } from "../../../lib/core/records/record_batch.ts";
import { encodeRecordBatch } from "../../../lib/core/records/record_encoder.ts";
import { EventParser } from "../../../lib/core/windowing/event.ts";
import { newSha256 } from "../../../lib/io/sha256.ts";
import { record } from "../../support/pipeline_run.ts";

function makeLedger(): Ledger {
  const parser = new EventParser({ maxFutureMs: 300_000 });
  return new Ledger({ parser, windowMs: 60_000, newSha256 });
}

/** Records [from, to) of partition 0; every fifth is no event. */
function batch(from: number, to: number, crc: number | null = null): RecordBatch {
  const records = Array.from({ length: to - from }, (_, at) => record(0, from + at));
  return { ...encodeRecordBatch(from, records), crc };
}

/** Judges and counts, as the pipeline does. */
function take(ledger: Ledger, fetched: ReturnType<typeof fetch>) {
  const fit = ledger.fitOf(fetched);
  if (fit !== "fits") return fit;
  for (const batch of fetched.pieces) {
    ledger.count(batch, { partition: 0, closedUpToMs: -Infinity, horizonMs: -Infinity });
  }
  ledger.finish(fetched);
  return fit;
}

const RANGE = { startOffset: 0, endOffset: 100 };

function fetch(fetchedOffset: number, ...batches: RecordBatch[]) {
  const nextOffset = batches.at(-1)?.nextOffset ?? fetchedOffset;
  return {
    partition: 0,
    fetchedOffset,
    nextOffset,
    endOffset: 100,
    batches: batches.map((batch) => logBatchOf(batch)),
    pieces: batches,
  };
}

Deno.test("Ledger counts what fits, and commits it with the offsets it stands for", () => {
  const ledger = makeLedger();
  ledger.start([{ partition: 0, position: { nextOffset: 10, lastBatch: null }, range: RANGE }]);
  assert.equal(take(ledger, fetch(10, batch(10, 20), batch(20, 25))), "fits");
  const { partitions, events, deadLetters } = ledger.drain();
  const [{ expectedOffset, nextOffset, counted, dead }] = partitions as [typeof partitions[number]];
  assert.deepEqual({ expectedOffset, nextOffset, counted, dead, events }, {
    expectedOffset: 10,
    nextOffset: 25,
    counted: 12,
    dead: 3,
    events: 12,
  });
  assert.equal(deadLetters.length, 3);
  assert.deepEqual(ledger.positions(), new Map([[0, 25]]), "it stands where it stood");
});

Deno.test("Ledger reads the last counted batch again, and does not count it again", () => {
  const ledger = makeLedger();
  const position = { nextOffset: 20, lastBatch: { lastOffset: 19, crc: 5 } };
  assert.deepEqual(ledger.start([{ partition: 0, position, range: RANGE }]), new Map([[0, 19]]));
  assert.equal(take(ledger, fetch(19, batch(10, 20, 5), batch(20, 22, 6))), "fits");
  const { partitions, events } = ledger.drain();
  assert.equal(events, 2);
  assert.equal(partitions[0]!.expectedOffset, 20);
  assert.deepEqual(partitions[0]!.lastBatch, { lastOffset: 21, crc: 6 });
});

Deno.test("Ledger counts nothing of another log", () => {
  const ledger = makeLedger();
  const position = { nextOffset: 20, lastBatch: { lastOffset: 19, crc: 5 } };
  ledger.start([{ partition: 0, position, range: RANGE }]);
  assert.equal(take(ledger, fetch(19, batch(10, 30, 9))), "other log");
  assert.ok(ledger.isEmpty);
  assert.equal(ledger.acceptLog(0), 20);
  assert.equal(take(ledger, fetch(20, batch(10, 30, 9))), "fits");
  assert.equal(ledger.drain().events, 8, "from the position on");
});

Deno.test("Ledger moves a partition over records that are gone, and the commit tells which", () => {
  const ledger = makeLedger();
  const range = { startOffset: 40, endOffset: 100 };
  const position = { nextOffset: 10, lastBatch: { lastOffset: 9, crc: 5 } };
  assert.deepEqual(ledger.start([{ partition: 0, position, range }]), new Map([[0, 40]]));
  assert.equal(take(ledger, fetch(40, batch(40, 45))), "fits");
  const { partitions, lostRanges } = ledger.drain();
  assert.deepEqual(lostRanges, [{ partition: 0, from: 10, to: 40 }]);
  assert.equal(partitions[0]!.expectedOffset, 10);
  assert.equal(partitions[0]!.nextOffset, 45);
});

Deno.test("Ledger drops counts and standings together", () => {
  const ledger = makeLedger();
  ledger.start([{ partition: 0, position: { nextOffset: 0, lastBatch: null }, range: RANGE }]);
  take(ledger, fetch(0, batch(0, 10)));
  ledger.drop();
  assert.ok(ledger.isEmpty);
  assert.equal(take(ledger, fetch(10, batch(10, 20))), "not started");
});

Deno.test("Ledger drops everything when a batch cannot be read to its end", () => {
  const ledger = makeLedger();
  ledger.start([{ partition: 0, position: { nextOffset: 0, lastBatch: null }, range: RANGE }]);
  take(ledger, fetch(0, batch(0, 10)));
  const broken = { ...batch(10, 20), recordCount: 30 };
  assert.throws(() => take(ledger, fetch(10, broken)), RangeError);
  assert.ok(ledger.isEmpty, "half a batch stands for no offset");
  assert.equal(ledger.positions().size, 0);
});

Deno.test("Ledger notes the end of the log only where it still stands", () => {
  const ledger = makeLedger();
  ledger.start([{ partition: 0, position: { nextOffset: 30, lastBatch: null }, range: RANGE }]);
  ledger.noteEnd(0, 29);
  ledger.noteEnd(1, 0);
  assert.ok(ledger.isEmpty);
  ledger.noteEnd(0, 30);
  assert.equal(ledger.drain().partitions[0]!.caughtUp, true);
});

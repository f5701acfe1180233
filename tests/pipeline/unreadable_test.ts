import assert from "node:assert/strict";
import { OperatorError } from "../../lib/core/failure.ts";
import { type Fetched, type LogBatch, logBatchOf } from "../../lib/core/records/log_batch.ts";
import type { RecordBatch } from "../../lib/core/records/record_batch.ts";
import { encodeRecordBatch } from "../../lib/core/records/record_encoder.ts";
import { UnreadableBatchError } from "../../lib/core/records/unreadable_batch.ts";
import { FencedError } from "../../lib/pipeline/sink.ts";
import { MemorySink, MemorySource, MemoryStore } from "../support/memory_ends.ts";
import { assertCountedOnce, makeLog, record, runToEnd } from "../support/pipeline_run.ts";

const PARTITIONS = 2;
const RECORDS = 30;
/** The batches of the first partition have ten records each; the last one is damaged. */
const BATCH = 10;
const BROKEN_AT = 20;

function batch(from: number, to: number): RecordBatch {
  return encodeRecordBatch(
    from,
    Array.from({ length: to - from }, (_, n) => record(0, from + n)),
  );
}

const BROKEN: Readonly<Record<string, { readonly batch: LogBatch; readonly stopsAt: number }>> = {
  "before any of its records is read": {
    batch: {
      nextOffset: RECORDS,
      crc: 1,
      pieces: () => {
        throw new UnreadableBatchError({ baseOffset: BROKEN_AT, nextOffset: RECORDS }, "it burns");
      },
    },
    stopsAt: BROKEN_AT,
  },
  "while its records are counted": {
    batch: logBatchOf({ ...batch(BROKEN_AT, RECORDS), recordCount: 9 }),
    stopsAt: BROKEN_AT,
  },
  "while its second piece is decompressed": {
    batch: {
      nextOffset: RECORDS,
      crc: 1,
      *pieces() {
        yield batch(BROKEN_AT, 25);
        throw new UnreadableBatchError({ baseOffset: BROKEN_AT, nextOffset: RECORDS }, "it burns");
      },
    },
    stopsAt: 25,
  },
  "while its second piece is counted": {
    batch: logBatchOf(batch(BROKEN_AT, 25), { ...batch(25, RECORDS), recordCount: 4 }),
    stopsAt: 25,
  },
};

/** What commits wait for; the first of them are fenced, so that the pipeline has to start over. */
function slowAndFenced(): (moment: "before" | "after") => Promise<void> {
  let commits = 0;
  return async (moment) => {
    if (moment === "after") return;
    await new Promise((resolve) => setTimeout(resolve, 20));
    if (++commits <= 4) throw new FencedError("another worker was there");
  };
}

for (const [when, { batch: broken, stopsAt }] of Object.entries(BROKEN)) {
  Deno.test(`Pipeline stops at a batch that turns out to be damaged ${when}, with everything before it committed`, async () => {
    const [log, store] = [makeLog(PARTITIONS, RECORDS), new MemoryStore()];
    const altered = (fetched: Fetched): Fetched =>
      fetched.partition === 1 ? fetched : {
        ...fetched,
        nextOffset: RECORDS,
        batches: [logBatchOf(batch(0, BATCH)), logBatchOf(batch(BATCH, BROKEN_AT)), broken]
          .filter(({ nextOffset }) => nextOffset > fetched.fetchedOffset),
      };
    const run = () =>
      runToEnd({
        source: new MemorySource(log, { altered }),
        sink: new MemorySink(store, slowAndFenced()),
        store,
        log,
      });
    for (let round = 0; round < 2; round++) {
      await assert.rejects(run(), (error: Error) => {
        return error instanceof OperatorError &&
          /Cannot read partition 0 at offset/.test(error.message);
      });
      assert.equal(store.offsets.get(0), stopsAt);
      const counted = log.map((records, partition) =>
        records.slice(0, store.offsets.get(partition))
      );
      assertCountedOnce(store, counted);
    }
  });
}

Deno.test("Pipeline stops although a batch of each partition is damaged, and each is read in turn", async () => {
  const [log, store] = [makeLog(PARTITIONS, RECORDS), new MemoryStore()];
  const damaged = (partition: number) => {
    const records = Array.from({ length: BATCH }, (_, n) => record(partition, n));
    return logBatchOf({ ...encodeRecordBatch(0, records), recordCount: BATCH - 1 });
  };
  let fetches = 0;
  const altered = (fetched: Fetched): Fetched => {
    if (++fetches > 100) throw new Error("it reads for ever");
    return { ...fetched, nextOffset: BATCH, batches: [damaged(fetched.partition)] };
  };
  const source = new MemorySource(log, { altered });
  await assert.rejects(
    runToEnd({ source, sink: new MemorySink(store), store, log }),
    /Cannot read partition \d at offset/,
  );
  assert.deepEqual(store.counts, new Map());
});

import assert from "node:assert/strict";
import { CompactedError } from "../../lib/core/offsets/log_range.ts";
import { MemorySink, MemorySource, MemoryStore } from "../support/memory_ends.ts";
import { makeLog, makePipeline, runToEnd, Witness } from "../support/pipeline_run.ts";
import { commitOf } from "../support/sink_contract.ts";

const LOG = makeLog(2, 20);

/** A log that is compacted from its start, or once that is set. */
function compacted({ isCompacted = true } = {}): MemorySource & { isSo: boolean } {
  return Object.assign(new MemorySource(LOG), {
    isSo: isCompacted,
    isCompacted(this: { isSo: boolean }) {
      return Promise.resolve(this.isSo);
    },
  });
}

Deno.test("Pipeline refuses a compacted log before it has counted anything", async () => {
  const store = new MemoryStore();
  const running = runToEnd({ source: compacted(), sink: new MemorySink(store), store, log: LOG });
  await assert.rejects(running, CompactedError);
  assert.equal(store.offsets.size, 0);
});

Deno.test("Pipeline counts what is left of a compacted log where that was decided, and says so", async () => {
  const [store, said] = [new MemoryStore(), new Set<boolean>()];
  const observer = Object.assign(new Witness(), { compacted: (is: boolean) => void said.add(is) });
  const stop = new AbortController();
  const sink = new MemorySink(store);
  const running = makePipeline({ source: compacted(), sink, observer, onDataLoss: "continue" })
    .run(stop.signal);
  await observer.changed.until(() => [0, 1].every((id) => store.offsets.get(id) === 20));
  stop.abort();
  await running;
  assert.deepEqual([...said], [true]);
});

for (const onDataLoss of ["fail", "continue"] as const) {
  Deno.test(`Pipeline checks a last batch that was rewritten, with ON_DATA_LOSS=${onDataLoss}`, async () => {
    const store = new MemoryStore();
    const sink = new MemorySink(store);
    await sink.positions(new Map([[0, 0], [1, 0]]));
    await sink.commit(commitOf([[0, 0, 7]]));
    store.lastBatches.set(0, { lastOffset: 6, crc: 1 });
    const source = compacted({ isCompacted: false });
    const stop = new AbortController();
    const fetch = source.fetch.bind(source);
    // It is compacted between the look at the assignment and the first fetch.
    source.fetch = (fetched) => {
      source.isSo = true;
      return fetch(fetched);
    };
    const observer = new Witness();
    const running = makePipeline({ source, sink, observer, onDataLoss }).run(stop.signal);
    if (onDataLoss === "fail") {
      await assert.rejects(running, CompactedError);
      assert.equal(store.offsets.get(0), 7);
    } else {
      await observer.changed.until(() => store.offsets.get(0) === 20);
      stop.abort();
      await running;
    }
  });
}

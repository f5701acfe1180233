import assert from "node:assert/strict";
import { MemorySink, MemorySource, MemoryStore } from "../support/memory_ends.ts";
import { assertCountedOnce, makeLog, makePipeline, Witness } from "../support/pipeline_run.ts";

Deno.test("Pipeline counts the partitions that can be read, and the others once when they can be", async () => {
  const [log, store, witness] = [makeLog(3, 30), new MemoryStore(), new Witness()];
  const source = new MemorySource(log);
  source.unavailable.set(1, "no leader");
  const stop = new AbortController();
  const running = makePipeline({ source, sink: new MemorySink(store), observer: witness })
    .run(stop.signal);
  const isAtEnd = (partition: number) => store.offsets.get(partition) === 30;
  assert.ok(await witness.changed.until(() => isAtEnd(0) && isAtEnd(2), { timeoutMs: 5_000 }));
  assert.equal(store.offsets.has(1), false);
  source.unavailable.clear();
  assert.ok(await witness.changed.until(() => isAtEnd(1), { timeoutMs: 20_000 }));
  stop.abort();
  await running;
  assertCountedOnce(store, log);
});

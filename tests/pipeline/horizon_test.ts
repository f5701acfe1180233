import assert from "node:assert/strict";
import { MemorySink, MemorySource, MemoryStore } from "../support/memory_ends.ts";
import { makeLog, runToEnd, Witness } from "../support/pipeline_run.ts";

const MINUTE_MS = 60_000;

Deno.test("Pipeline keeps what is expired when it is stored, wherever the horizon moves before", async () => {
  const log = makeLog(2, 40);
  const times = log[0]!.map(({ timestampMs }) => timestampMs);
  // Raised by a window before the commit of that number; two of the steps are noticed by the fence.
  for (let moved = 1; moved <= 12; moved++) {
    const [store, witness] = [new MemoryStore(), new Witness()];
    let commits = 0;
    const deleted = new Map<string, number>();
    const sink = new MemorySink(store, (moment) => {
      if (moment === "after" || ++commits !== moved) return;
      store.horizonMs = times[0]! - times[0]! % MINUTE_MS + 3 * MINUTE_MS;
      for (const [key, count] of store.counts) {
        if (JSON.parse(key)[0] >= store.horizonMs) continue;
        deleted.set(key, count);
        store.counts.delete(key);
      }
    });
    const source = new MemorySource(log, { fetchSize: 2 });
    await runToEnd({ source, sink, store, log, witness });

    const expired = [...store.deadLetters].filter(([, reason]) => reason === "expired_window");
    for (const [key] of expired) {
      assert.ok(times[Number(key.split("/")[1])]! < store.horizonMs, `${key} is not expired`);
    }
    for (const key of store.counts.keys()) assert.ok(JSON.parse(key)[0] >= store.horizonMs, key);
    const sum = (counts: Map<string, number>) => [...counts.values()].reduce((a, b) => a + b, 0);
    assert.equal(sum(store.counts) + sum(deleted) + store.deadLetters.size, 80, "each record once");
    if (moved === 1) assert.deepEqual([expired.length > 0, witness.fences], [true, 1]);
  }
});

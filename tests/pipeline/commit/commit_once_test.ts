import assert from "node:assert/strict";
import { UnavailableError } from "../../../lib/core/failure.ts";
import { commitOnce } from "../../../lib/pipeline/commit/commit_once.ts";
import { FencedError } from "../../../lib/pipeline/sink.ts";
import { MemorySink, MemoryStore } from "../../support/memory_ends.ts";
import { commitOf } from "../../support/sink_contract.ts";

const COMMIT = commitOf([[0, 0, 5], [1, 0, 5]]);

/** A store with both partitions, and a sink whose first answer is lost at that moment. */
async function losingAnswer(moment: "before" | "after") {
  const store = new MemoryStore();
  let isLost = false;
  const sink = new MemorySink(store, (now) => {
    if (now !== moment || isLost) return;
    isLost = true;
    throw new UnavailableError("cut off");
  });
  await sink.positions(new Map([[0, 0], [1, 0]]));
  const action = commitOnce(COMMIT, sink);
  await assert.rejects(action(), UnavailableError);
  return { store, again: action, other: new MemorySink(store) };
}

Deno.test("commitOnce() is done when the first try was stored although its answer was lost", async () => {
  const { store, again } = await losingAnswer("after");
  await again();
  assert.deepEqual([...store.offsets], [[0, 5], [1, 5]]);
  assert.deepEqual([...store.counts.values()], [10], "once");
});

Deno.test("commitOnce() stores with the second try what the first has not", async () => {
  const { store, again } = await losingAnswer("before");
  await again();
  assert.deepEqual([...store.counts.values()], [10]);
});

Deno.test("commitOnce() is fenced when another worker was there meanwhile, in one partition or further on", async () => {
  for (const moves of [[[0, 0, 5]], [[0, 0, 3], [1, 0, 3]], [[0, 0, 9], [1, 0, 5]]] as const) {
    const { again, other } = await losingAnswer("before");
    await other.commit(commitOf(moves));
    await assert.rejects(again(), FencedError);
  }
});

Deno.test("commitOnce() is fenced at once when nothing of it can have been stored", async () => {
  const store = new MemoryStore();
  const sink = new MemorySink(store);
  await sink.positions(new Map([[0, 0], [1, 0]]));
  await sink.commit(commitOf([[0, 0, 5], [1, 0, 5]])); // by another one, to the same offsets
  await assert.rejects(commitOnce(COMMIT, sink)(), FencedError);
});

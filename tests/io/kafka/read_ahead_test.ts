import assert from "node:assert/strict";
import type { Fetched } from "../../../lib/core/records/log_batch.ts";
import { ReadAhead } from "../../../lib/io/kafka/read_ahead.ts";

function fetchOf(partition: number, fetchedOffset: number): Fetched {
  return {
    partition,
    fetchedOffset,
    nextOffset: fetchedOffset + 1,
    endOffset: 1_000,
    batches: [],
  };
}

/** Hands over to a list until `count` fetches are in it. */
async function takeFrom(ahead: ReadAhead, count: number): Promise<Fetched[]> {
  const taken: Fetched[] = [];
  const over = new AbortController();
  await ahead.handOver((fetched) => {
    taken.push(fetched);
    if (taken.length === count) over.abort();
    return Promise.resolve();
  }, over.signal);
  return taken;
}

Deno.test("fetches are handed over one after the other, in their order", async () => {
  const ahead = new ReadAhead();
  const fetches = [fetchOf(0, 5), fetchOf(1, 7), fetchOf(0, 6)];
  fetches.forEach((fetched) => ahead.add(fetched));
  assert.deepEqual(await takeFrom(ahead, 3), fetches);
});

Deno.test("the next fetch is handed over only when the one before is taken", async () => {
  const ahead = new ReadAhead();
  const over = new AbortController();
  const [begun, first] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const taken: number[] = [];
  const handing = ahead.handOver(async ({ fetchedOffset }) => {
    taken.push(fetchedOffset);
    begun.resolve();
    if (taken.length === 1) await first.promise;
    else over.abort();
  }, over.signal);
  ahead.add(fetchOf(0, 1));
  ahead.add(fetchOf(0, 2));
  await begun.promise;
  await new Promise((resolve) => setTimeout(resolve));
  assert.deepEqual(taken, [1]);
  first.resolve();
  await handing;
  assert.deepEqual(taken, [1, 2]);
});

Deno.test("there is room while few fetches wait, and again when they are forgotten", async () => {
  const ahead = new ReadAhead();
  assert.equal(await ahead.room(0), true);
  for (let offset = 0; offset < 100; offset++) ahead.add(fetchOf(offset % 2, offset));
  assert.equal(await ahead.room(0), false);
  ahead.drop(() => true);
  assert.equal(await ahead.room(0), true);
});

Deno.test("only fetches of partitions that have moved are forgotten", async () => {
  const ahead = new ReadAhead();
  [fetchOf(0, 5), fetchOf(1, 7), fetchOf(0, 6)].forEach((fetched) => ahead.add(fetched));
  ahead.drop((partition) => partition === 0);
  assert.deepEqual(await takeFrom(ahead, 1), [fetchOf(1, 7)]);
});

Deno.test("handOver() rejects with what the taker throws", async () => {
  const ahead = new ReadAhead();
  ahead.add(fetchOf(0, 1));
  await assert.rejects(
    ahead.handOver(() => Promise.reject(new Error("bad batch")), new AbortController().signal),
    /bad batch/,
  );
});

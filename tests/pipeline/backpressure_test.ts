import assert from "node:assert/strict";
import { MemorySink, MemorySource, MemoryStore } from "../support/memory_ends.ts";
import { assertCountedOnce, record, runToEnd } from "../support/pipeline_run.ts";

const RECORDS = 30;
/** Pending bytes with which reading stops. */
const FULL_BYTES = 4 << 20;

/** A record that is no event, of a megabyte. */
function largeRecord(n: number) {
  return { ...record(0, n), value: new TextEncoder().encode(`bad ${"x".repeat((1 << 20) - 4)}`) };
}

Deno.test("Pipeline stops reading when too much is pending, and continues when it is committed", async () => {
  const log = [Array.from({ length: RECORDS }, (_, n) => largeRecord(n))];
  const store = new MemoryStore();
  const source = new MemorySource(log, { fetchSize: 1 });
  let fetched = 0;
  const fetch = source.fetch.bind(source);
  source.fetch = (given) => {
    fetched++;
    return fetch(given);
  };
  let fetchedMeanwhile = 0;
  const sink = new MemorySink(store, async (moment) => {
    if (moment === "after" || fetchedMeanwhile > 0) return;
    // As long as this commit takes, until nothing more comes.
    for (let calm = 0, before = 0; calm < 50; calm = fetched === before ? calm + 1 : 0) {
      before = fetched;
      await new Promise((turn) => setTimeout(turn));
    }
    fetchedMeanwhile = fetched;
  });
  await runToEnd({ source, sink, store, log });
  assertCountedOnce(store, log);
  const most = FULL_BYTES / (1 << 20);
  assert.ok(
    fetchedMeanwhile >= most,
    `${fetchedMeanwhile} MB: it reads while a commit is under way`,
  );
  // One that is being committed, and one that is taken when it would be too much.
  assert.ok(fetchedMeanwhile <= most + 3, `${fetchedMeanwhile} MB: it stops`);
});

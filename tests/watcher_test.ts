import assert from "node:assert/strict";
import { EventParser } from "../lib/core/event.ts";
import { Ledger } from "../lib/core/ledger.ts";
import type { LogRange } from "../lib/core/log_range.ts";
import type { Source } from "../lib/endpoints.ts";
import { Watcher } from "../lib/watcher.ts";
import { MemorySink, MemorySource, MemoryStore } from "./support/memory_ends.ts";
import { Witness } from "./support/pipeline_run.ts";

const POSITION = { nextOffset: 10, lastBatch: null };

/** A watcher of a pipeline that stands at offset 10 of its one partition. */
function makeWatcher(
  { stallMs = 1, onDataLoss = "fail" as "fail" | "continue", endOffset = 15 } = {},
) {
  const ledger = new Ledger({ parser: new EventParser({ maxFutureMs: 0 }), windowMs: 60_000 });
  const range: { startOffset: number; endOffset: number } = { startOffset: 0, endOffset };
  ledger.place([{ partition: 0, position: POSITION, range }]);
  let renewals = 0;
  const source: Source = Object.assign(new MemorySource([[]]), {
    logRanges: (): Promise<ReadonlyMap<number, LogRange>> =>
      Promise.resolve(new Map([[0, { ...range }]])),
    renew: () => void renewals++,
  });
  const stalled: number[][] = [];
  const observer = Object.assign(new Witness(), {
    stalled: (partitions: readonly number[]) => void stalled.push([...partitions]),
  });
  const sink = new MemorySink(new MemoryStore());
  const watcher = new Watcher({ source, sink, observer, ledger, onDataLoss, stallMs });
  let hasRoom = true;
  return {
    range,
    ledger,
    stalled,
    get renewals() {
      return renewals;
    },
    setRoom: (value: boolean) => hasRoom = value,
    look: () => {
      const lookedAt = performance.now();
      while (performance.now() - lookedAt < 2); // later than the last look
      return watcher.look((_, question) => question(), () => hasRoom);
    },
  };
}

Deno.test("Watcher makes the source connect anew when there is something to read and nothing comes", async () => {
  const watched = makeWatcher();
  await watched.look();
  assert.equal(watched.renewals, 0, "it has only begun to look");
  await watched.look();
  assert.equal(watched.renewals, 1);
  assert.deepEqual(watched.stalled, [[0]]);
  await watched.look();
  assert.equal(watched.renewals, 1, "the new connection gets its time, too");
});

Deno.test("Watcher leaves the source alone while it moves, has nothing to read, or waits for us", async () => {
  const moving = makeWatcher();
  const atEnd = makeWatcher({ endOffset: 10 });
  const waiting = makeWatcher();
  waiting.setRoom(false);
  const patient = makeWatcher({ stallMs: 60_000 });
  for (let looks = 0; looks < 4; looks++) {
    for (const watched of [moving, atEnd, waiting, patient]) await watched.look();
    moving.ledger.finish({
      partition: 0,
      fetchedOffset: 10 + looks,
      nextOffset: 11 + looks,
      endOffset: 15,
      batches: [],
    });
  }
  for (const watched of [moving, atEnd, waiting, patient]) assert.equal(watched.renewals, 0);
});

Deno.test("Watcher notes where a partition has reached its end", async () => {
  const watched = makeWatcher({ endOffset: 10 });
  await watched.look();
  assert.deepEqual(
    watched.ledger.drain().partitions.map(({ partition, caughtUp }) => [partition, caughtUp]),
    [[0, true]],
  );
});

Deno.test("Watcher finds records that were deleted before they were read, and a log that is another", async () => {
  const losing = makeWatcher();
  losing.range.startOffset = 12;
  await assert.rejects(losing.look(), /2 offsets were deleted/);
  const accepting = makeWatcher({ onDataLoss: "continue" });
  accepting.range.startOffset = 12;
  assert.equal(await accepting.look(), "place anew");
  for (const onDataLoss of ["fail", "continue"] as const) {
    const shorter = makeWatcher({ endOffset: 9, onDataLoss });
    await assert.rejects(shorter.look(), /not the log that was counted/);
  }
});

Deno.test("Watcher does not take a log that was read on meanwhile for a shorter one", async () => {
  const watched = makeWatcher({ endOffset: 10 });
  const look = watched.look(); // its question for the ends is under way
  watched.ledger.finish({
    partition: 0,
    fetchedOffset: 10,
    nextOffset: 14,
    endOffset: 14,
    batches: [],
  });
  await look;
});

import assert from "node:assert/strict";
import { OperatorError } from "../../lib/core/failure.ts";
import { Ledger } from "../../lib/core/offsets/ledger.ts";
import { CompactedError, type LogView } from "../../lib/core/offsets/log_range.ts";
import { EventParser } from "../../lib/core/windowing/event.ts";
import { newSha256 } from "../../lib/io/sha256.ts";
import { LagMonitor } from "../../lib/pipeline/lag_monitor.ts";
import type { Sink } from "../../lib/pipeline/sink.ts";
import type { Source } from "../../lib/pipeline/source.ts";
import { MemorySink, MemorySource, MemoryStore } from "../support/memory_ends.ts";
import { Witness } from "../support/pipeline_run.ts";

const POSITION = { nextOffset: 10, lastBatch: null };

/** A watcher of a pipeline that stands at offset 10 of its one partition. */
function makeWatcher(
  { stallMs = 1, onDataLoss = "fail", endOffset = 15, watermark }: {
    readonly stallMs?: number;
    readonly onDataLoss?: "fail" | "continue";
    readonly endOffset?: number;
    readonly watermark?: Sink["advanceWatermark"];
  } = {},
) {
  const parser = new EventParser({ maxFutureMs: 0 });
  const ledger = new Ledger({ parser, windowMs: 60_000, newSha256 });
  const range: { startOffset: number; endOffset: number } = { startOffset: 0, endOffset };
  ledger.place([{ partition: 0, position: POSITION, range }]);
  let renewals = 0;
  /** Why the partition cannot be read. */
  let problem: string | null = null;
  const signsOfLife = new Map<number, number>();
  const source: Source = Object.assign(new MemorySource([[]]), {
    viewLog: (): Promise<LogView> =>
      Promise.resolve({
        ranges: new Map(problem === null ? [[0, { ...range }]] : []),
        unavailable: new Map(problem === null ? [] : [[0, problem]]),
      }),
    signsOfLife,
    renew: () => void renewals++,
  });
  const stalled: number[][] = [];
  const lags: number[] = [];
  const unavailable: Record<number, string>[] = [];
  const observer = Object.assign(new Witness(), {
    unavailable: (partitions: ReadonlyMap<number, string>) =>
      void unavailable.push(Object.fromEntries(partitions)),
    lag: (reported: ReadonlyMap<number, number>) => void lags.push(reported.get(0)!),
    stalled: (partitions: readonly number[]) => void stalled.push([...partitions]),
  });
  const sink = Object.assign(
    new MemorySink(new MemoryStore()),
    watermark && { advanceWatermark: watermark },
  );
  const assigned = () => [0];
  const watcher = new LagMonitor({ source, sink, observer, ledger, assigned, onDataLoss, stallMs });
  let hasRoom = true;
  return {
    range,
    source,
    ledger,
    stalled,
    lags,
    unavailable,
    signsOfLife,
    setProblem: (value: string | null) => problem = value,
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

Deno.test("LagMonitor makes the source connect anew when there is something to read and nothing comes", async () => {
  const watched = makeWatcher();
  await watched.look();
  assert.equal(watched.renewals, 0, "it has only begun to look");
  await watched.look();
  assert.equal(watched.renewals, 1);
  assert.deepEqual(watched.stalled, [[0]]);
  await watched.look();
  assert.equal(watched.renewals, 1, "the new connection gets its time, too");
});

Deno.test("LagMonitor leaves the source alone while it moves, has nothing to read, or waits for us", async () => {
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

Deno.test("LagMonitor leaves a source alone whose partitions wait for their turn", async () => {
  const waiting = makeWatcher();
  for (let looks = 0; looks < 4; looks++) {
    await waiting.look();
    waiting.signsOfLife.set(0, performance.now() + 1_000_000);
  }
  assert.equal(waiting.renewals, 0);
});

Deno.test("LagMonitor passes over a partition that cannot be read, and tells which and why", async () => {
  const watched = makeWatcher();
  await watched.look();
  watched.setProblem("no leader");
  for (let looks = 0; looks < 2; looks++) {
    assert.deepEqual(await watched.look(), { watermarkMs: null });
  }
  assert.equal(watched.renewals, 0, "it stands still for a reason");
  watched.setProblem(null);
  await watched.look();
  assert.deepEqual(watched.unavailable, [{}, { 0: "no leader" }, { 0: "no leader" }, {}]);
});

Deno.test("LagMonitor has a partition placed that can be read now and was not placed", async () => {
  const watched = makeWatcher();
  watched.setProblem("no leader");
  watched.ledger.drop();
  assert.deepEqual(await watched.look(), { watermarkMs: null });
  watched.setProblem(null);
  assert.equal(await watched.look(), "place anew");
});

Deno.test("LagMonitor notes where a partition has reached its end", async () => {
  const watched = makeWatcher({ endOffset: 10 });
  await watched.look();
  assert.deepEqual(
    watched.ledger.drain().partitions.map(({ partition, caughtUp }) => [partition, caughtUp]),
    [[0, true]],
  );
});

Deno.test("LagMonitor finds records that were deleted before they were read, and a log that is another", async () => {
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

Deno.test("LagMonitor judges no log while counts wait for the sink: they may stand for what is deleted", async () => {
  for (const onDataLoss of ["fail", "continue"] as const) {
    const waiting = makeWatcher({ onDataLoss });
    waiting.setRoom(false);
    waiting.range.startOffset = 12;
    assert.deepEqual(await waiting.look(), { watermarkMs: null });
    assert.deepEqual(waiting.lags, [5]);
    waiting.setRoom(true);
    if (onDataLoss === "fail") await assert.rejects(waiting.look(), /2 offsets were deleted/);
    else assert.equal(await waiting.look(), "place anew");
  }
});

Deno.test("LagMonitor does not take a log that was read on meanwhile for a shorter one", async () => {
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

Deno.test("LagMonitor sees the lag also while the sink is away, and the watermark once it is back", async () => {
  const answer = Promise.withResolvers<number>();
  const watched = makeWatcher({ watermark: () => answer.promise, stallMs: 60_000 });
  assert.deepEqual(await watched.look(), { watermarkMs: null });
  watched.range.endOffset = 20;
  const look = watched.look();
  answer.resolve(1_000);
  assert.deepEqual(await look, { watermarkMs: 1_000 });
  assert.deepEqual(watched.lags, [5, 10]);
});

Deno.test("LagMonitor sees that the log becomes compacted while it is read", async () => {
  const watched = makeWatcher({ endOffset: 10 });
  await watched.look();
  watched.source.isCompacted = () => Promise.resolve(true);
  await assert.rejects(async () => {
    for (let looks = 0; looks < 12; looks++) await watched.look();
  }, CompactedError);
});

Deno.test("LagMonitor passes on that the sink needs a person", async () => {
  const watched = makeWatcher({ watermark: () => Promise.reject(new OperatorError("mend it")) });
  await assert.rejects(watched.look(), /mend it/);
});

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

/** A monitor of a pipeline that is at offset 10 of its one partition. */
function makeMonitor(
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
  ledger.start([{ partition: 0, position: POSITION, range }]);
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
  const partitions = { partitions: [0] };
  const assignment = () => partitions;
  const monitor = new LagMonitor({
    source,
    sink,
    observer,
    ledger,
    assignment,
    onDataLoss,
    stallMs,
  });
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
    check: () => {
      const checkedAt = performance.now();
      while (performance.now() - checkedAt < 2); // later than the last check
      return monitor.check((_, question) => question(), () => hasRoom);
    },
  };
}

Deno.test("LagMonitor makes the source reconnect when there is something to read and nothing comes", async () => {
  const watched = makeMonitor();
  await watched.check();
  assert.equal(watched.renewals, 0, "it has only begun");
  await watched.check();
  assert.equal(watched.renewals, 1);
  assert.deepEqual(watched.stalled, [[0]]);
  await watched.check();
  assert.equal(watched.renewals, 1, "the new connection gets its time, too");
});

Deno.test("LagMonitor leaves the source alone while it moves, has nothing to read, or waits for us", async () => {
  const moving = makeMonitor();
  const atEnd = makeMonitor({ endOffset: 10 });
  const waiting = makeMonitor();
  waiting.setRoom(false);
  const patient = makeMonitor({ stallMs: 60_000 });
  for (let checks = 0; checks < 4; checks++) {
    for (const watched of [moving, atEnd, waiting, patient]) await watched.check();
    moving.ledger.finish({
      partition: 0,
      fetchedOffset: 10 + checks,
      nextOffset: 11 + checks,
      endOffset: 15,
      batches: [],
    });
  }
  for (const watched of [moving, atEnd, waiting, patient]) assert.equal(watched.renewals, 0);
});

Deno.test("LagMonitor leaves a source alone whose partitions wait for their turn", async () => {
  const waiting = makeMonitor();
  for (let checks = 0; checks < 4; checks++) {
    await waiting.check();
    waiting.signsOfLife.set(0, performance.now() + 1_000_000);
  }
  assert.equal(waiting.renewals, 0);
});

Deno.test("LagMonitor passes over a partition that cannot be read, and tells which and why", async () => {
  const watched = makeMonitor();
  await watched.check();
  watched.setProblem("no leader");
  for (let checks = 0; checks < 2; checks++) {
    assert.deepEqual(await watched.check(), { watermarkMs: null });
  }
  assert.equal(watched.renewals, 0, "it stands still for a reason");
  watched.setProblem(null);
  await watched.check();
  assert.deepEqual(watched.unavailable, [{}, { 0: "no leader" }, { 0: "no leader" }, {}]);
});

Deno.test("LagMonitor has a partition started that can be read now and was not started", async () => {
  const watched = makeMonitor();
  watched.setProblem("no leader");
  watched.ledger.drop();
  assert.deepEqual(await watched.check(), { watermarkMs: null });
  watched.setProblem(null);
  assert.equal(await watched.check(), "start over");
});

Deno.test("LagMonitor notes where a partition has reached its end", async () => {
  const watched = makeMonitor({ endOffset: 10 });
  await watched.check();
  assert.deepEqual(
    watched.ledger.drain().partitions.map(({ partition, caughtUp }) => [partition, caughtUp]),
    [[0, true]],
  );
});

Deno.test("LagMonitor finds records that were deleted before they were read, and a log that is another", async () => {
  const losing = makeMonitor();
  losing.range.startOffset = 12;
  await assert.rejects(losing.check(), /deleted 2 offsets/);
  const accepting = makeMonitor({ onDataLoss: "continue" });
  accepting.range.startOffset = 12;
  assert.equal(await accepting.check(), "start over");
  for (const onDataLoss of ["fail", "continue"] as const) {
    const shorter = makeMonitor({ endOffset: 9, onDataLoss });
    await assert.rejects(shorter.check(), /not the log that was counted/);
  }
});

Deno.test("LagMonitor judges no log while counts wait for the sink: they may stand for what is deleted", async () => {
  for (const onDataLoss of ["fail", "continue"] as const) {
    const waiting = makeMonitor({ onDataLoss });
    waiting.setRoom(false);
    waiting.range.startOffset = 12;
    assert.deepEqual(await waiting.check(), { watermarkMs: null });
    assert.deepEqual(waiting.lags, [5]);
    waiting.setRoom(true);
    if (onDataLoss === "fail") await assert.rejects(waiting.check(), /deleted 2 offsets/);
    else assert.equal(await waiting.check(), "start over");
  }
});

Deno.test("LagMonitor does not take a log that was read on meanwhile for a shorter one", async () => {
  const watched = makeMonitor({ endOffset: 10 });
  const checking = watched.check(); // its question for the ends is under way
  watched.ledger.finish({
    partition: 0,
    fetchedOffset: 10,
    nextOffset: 14,
    endOffset: 14,
    batches: [],
  });
  await checking;
});

Deno.test("LagMonitor sees the lag also while the sink is away, and the watermark once it is back", async () => {
  const answer = Promise.withResolvers<number>();
  const watched = makeMonitor({ watermark: () => answer.promise, stallMs: 60_000 });
  assert.deepEqual(await watched.check(), { watermarkMs: null });
  watched.range.endOffset = 20;
  const checking = watched.check();
  answer.resolve(1_000);
  assert.deepEqual(await checking, { watermarkMs: 1_000 });
  assert.deepEqual(watched.lags, [5, 10]);
});

Deno.test("LagMonitor sees that the log becomes compacted while it is read", async () => {
  const watched = makeMonitor({ endOffset: 10 });
  await watched.check();
  watched.source.isCompacted = () => Promise.resolve(true);
  await assert.rejects(async () => {
    for (let checks = 0; checks < 12; checks++) await watched.check();
  }, CompactedError);
});

Deno.test("LagMonitor passes on that the sink requires an operator", async () => {
  const watched = makeMonitor({ watermark: () => Promise.reject(new OperatorError("mend it")) });
  await assert.rejects(watched.check(), /mend it/);
});

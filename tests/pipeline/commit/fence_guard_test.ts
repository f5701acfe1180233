import assert from "node:assert/strict";
import { OperatorError } from "../../../lib/core/failure.ts";
import { readinessProblem } from "../../../lib/observers/readiness.ts";
import { WorkerState } from "../../../lib/observers/worker_state.ts";
import { FenceGuard } from "../../../lib/pipeline/commit/fence_guard.ts";
import type { FenceLimits } from "../../../lib/pipeline/commit/fence_limit.ts";
import { FencedError } from "../../../lib/pipeline/sink.ts";
import { MemorySink, MemorySource, MemoryStore } from "../../support/memory_ends.ts";
import {
  assertCountedOnce,
  makeLog,
  makePipeline,
  runToEnd,
  Witness,
} from "../../support/pipeline_run.ts";
import { testSinkContract } from "../../support/sink_contract.ts";

const SHORT: FenceLimits = {
  tolerated: 2,
  backoff: { firstMs: 1, maxMs: 2 },
  maxFences: 10,
  minMs: 20,
};

testSinkContract("a guard of memory", Deno.test, () => {
  const store = new MemoryStore();
  return Promise.resolve({
    first: new FenceGuard(new MemorySink(store)),
    second: new FenceGuard(new MemorySink(store)),
    setHorizon: (horizonMs) => {
      store.horizonMs = horizonMs;
      return Promise.resolve();
    },
    stored: () => Promise.resolve(store),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  });
});

Deno.test("Pipeline stops if every commit is fenced though nothing moves, and is not ready before", async () => {
  const state = new WorkerState();
  const problems = new Set<string | null>();
  const witness = Object.assign(new Witness(), {
    fenced: (error: FencedError) => {
      state.fenced(error);
      problems.add(readinessProblem(state));
    },
  });
  state.answered("commit");
  state.answered("group");
  const store = new MemoryStore();
  let commits = 0;
  const sink = new MemorySink(store, () => {
    commits++;
    throw new FencedError("by nobody");
  });
  const pipeline = makePipeline({
    source: new MemorySource(makeLog(2, 40)),
    sink: new FenceGuard(sink, SHORT),
    observer: witness,
  });
  await assert.rejects(pipeline.run(new AbortController().signal), (error: Error) => {
    assert.ok(error instanceof OperatorError);
    assert.match(error.message, /refuses every commit.*although none has/);
    return true;
  });
  assert.ok(commits >= SHORT.maxFences);
  assert.deepEqual([...problems], [null, "PostgreSQL refuses every commit"]);
  assert.equal(store.counts.size, 0);
});

Deno.test("Pipeline continues after fences in a row, and is ready again with the next commit", async () => {
  const state = new WorkerState();
  state.answered("commit");
  state.answered("group");
  const log = makeLog(2, 40);
  const store = new MemoryStore();
  let fences = 0;
  const sink = new MemorySink(store, (moment) => {
    if (moment === "before" && fences < 5) {
      fences++;
      throw new FencedError("by nobody, for a while");
    }
  });
  const witness = new Witness();
  const committed = witness.committed.bind(witness);
  const observer = Object.assign(witness, {
    fenced: (error: FencedError) => state.fenced(error),
    committed: (commit: Parameters<typeof committed>[0]) => {
      state.committed(commit);
      committed(commit);
    },
  });
  await runToEnd({
    source: new MemorySource(log),
    sink: new FenceGuard(sink, SHORT),
    store,
    log,
    witness: observer,
  });
  assert.equal(fences, 5);
  assert.equal(readinessProblem(state), null);
  assertCountedOnce(store, log);
});

Deno.test("FenceGuard takes fences for what they are while others move the offsets or the horizon", async () => {
  const store = new MemoryStore();
  const guard = new FenceGuard(
    new MemorySink(store, () => {
      throw new FencedError("another was faster");
    }),
    { ...SHORT, minMs: 0 },
  );
  for (let round = 1; round <= 50; round++) {
    if (round % 2 === 0) store.offsets.set(0, round);
    else store.horizonMs = round;
    await guard.positions(new Map([[0, 0]]));
    await guard.horizon();
    await assert.rejects(
      guard.commit({
        partitions: [],
        counts: [],
        deadLetters: undefined as never,
        lostRanges: [],
        events: 0,
        lateEvents: 0,
        batchTimestampsMs: [],
      }),
      (error) => error instanceof FencedError && !error.isStuck,
    );
  }
});

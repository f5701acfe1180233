import assert from "node:assert/strict";
import { Condition } from "../../lib/async/condition.ts";
import { OperatorError, UnavailableError } from "../../lib/core/failure.ts";
import type { Commit } from "../../lib/core/windowing/pending.ts";
import { CommitTooSlowError } from "../../lib/pipeline/sink.ts";
import { MemorySink, MemorySource, MemoryStore } from "../support/memory_ends.ts";
import {
  assertCountedOnce,
  isComplete,
  makeLog,
  makePipeline,
  manyLotteries,
  record,
  runToEnd,
  Witness,
} from "../support/pipeline_run.ts";
import { commitOf } from "../support/sink_contract.ts";

Deno.test("Pipeline counts every record once, whatever a fetch brings", async () => {
  for (const fetchSize of [1, 3, 100]) {
    const [log, store] = [makeLog(3, 40), new MemoryStore()];
    const source = new MemorySource(log, { fetchSize });
    await runToEnd({ source, sink: new MemorySink(store), store, log });
    assertCountedOnce(store, log);
    assert.deepEqual(source.acknowledged, new Map([[0, 40], [1, 40], [2, 40]]));
  }
});

Deno.test("Pipeline continues from the stored offsets", async () => {
  const [log, store] = [makeLog(2, 30), new MemoryStore()];
  const run = (visible: typeof log) =>
    runToEnd({
      source: new MemorySource(visible),
      sink: new MemorySink(store),
      store,
      log: visible,
    });
  await run(log.map((records) => records.slice(0, 11)));
  await run(log);
  assertCountedOnce(store, log);
});

Deno.test("Pipeline commits at once when it has reached the ends that somebody waits for", async () => {
  const [log, store, witness] = [makeLog(2, 30), new MemoryStore(), new Witness()];
  const stop = new AbortController();
  const running = makePipeline({
    source: new MemorySource(log, { fetchSize: 7 }),
    sink: new MemorySink(store),
    observer: witness,
    commitIntervalMs: 2 ** 31 - 1,
    awaitedEnds: new Map([[0, 30], [1, 30]]),
  }).run(stop.signal);
  await witness.changed.until(() => isComplete(store, log));
  stop.abort();
  await running;
  assertCountedOnce(store, log);
});

Deno.test("Pipeline commits what is pending when it is told to stop", async () => {
  const [log, store, witness] = [makeLog(1, 20), new MemoryStore(), new Witness()];
  const stop = new AbortController();
  const committing = new Condition();
  let commits = 0;
  // While the first commit is under way, all the rest is counted.
  const sink = new MemorySink(store, async (moment) => {
    if (moment === "before" && ++commits === 1) await committing.next();
  });
  const source = new MemorySource(log, { fetchSize: 2 });
  const running = makePipeline({ source, sink, observer: witness }).run(stop.signal);
  while (commits === 0) await new Promise((resolve) => setTimeout(resolve));
  stop.abort();
  committing.notify();
  await running;
  assertCountedOnce(store, log.map((records) => records.slice(0, store.offsets.get(0))));
  assert.equal(commits, 2);
});

Deno.test("Pipeline drops what another worker has counted, and continues behind it", async () => {
  const [log, store, witness] = [makeLog(2, 30), new MemoryStore(), new Witness()];
  let isFirst = true;
  const sink = new MemorySink(store, async (moment) => {
    if (moment === "after" || !isFirst) return;
    isFirst = false;
    // The other worker counts the first four records of partition 1, one of them in our commit.
    const other = makePipeline({
      source: new MemorySource([[], log[1]!.slice(0, 4)]),
      sink: new MemorySink(store),
    });
    const stop = new AbortController();
    const running = other.run(stop.signal);
    while (store.offsets.get(1) !== 4) await new Promise((resolve) => setTimeout(resolve));
    stop.abort();
    await running;
  });
  await runToEnd({ source: new MemorySource(log), sink, store, log, witness });
  assertCountedOnce(store, log);
  assert.equal(witness.fences, 1);
});

Deno.test("Pipeline commits less at a time when the sink is too slow for so much", async () => {
  const log = [manyLotteries(5_000)];
  const [store, sizes] = [new MemoryStore(), [] as number[]];
  const source = new MemorySource(log, { fetchSize: 100 });
  let fetches = 0;
  const fetch = source.fetch.bind(source);
  source.fetch = (fetched) => {
    fetches++;
    return fetch(fetched);
  };
  const sink = new class extends MemorySink {
    override async commit(commit: Commit): Promise<void> {
      sizes.push(commit.counts.length);
      // While it is under way, as much is counted for the next one as the pipeline allows.
      for (let calm = 0, before = 0; calm < 20; calm = fetches === before ? calm + 1 : 0) {
        before = fetches;
        await new Promise((turn) => setTimeout(turn));
      }
      if (commit.counts.length > 1_500) throw new CommitTooSlowError("too much");
      await super.commit(commit);
    }
  }(store);
  await runToEnd({ source, sink, store, log });
  assertCountedOnce(store, log);
  const tooLarge = sizes.filter((size) => size > 1_500);
  assert.ok(tooLarge.length > 0 && tooLarge.length < 5, sizes.join(", "));
});

Deno.test("Pipeline does not count a batch that was fetched elsewhere than where it stands", async () => {
  const [log, store, witness] = [makeLog(1, 20), new MemoryStore(), new Witness()];
  const source = new MemorySource(log, { fetchSize: 5 });
  const stop = new AbortController();
  const running = makePipeline({ source, sink: new MemorySink(store), observer: witness })
    .run(stop.signal);
  await witness.changed.until(() => store.offsets.get(0) === 20);
  // As after a seek: what was on its way still arrives.
  await source.fetch({ partition: 0, fetchedOffset: 10, records: log[0]!.slice(10, 15) });
  await source.fetch({ partition: 0, fetchedOffset: 25, records: [record(0, 25)] });
  await witness.changed.until(() => witness.positionedTimes >= 2);
  stop.abort();
  await running;
  assertCountedOnce(store, log);
});

Deno.test("Pipeline counts nothing that arrives before its positions are known", async () => {
  const [log, store] = [makeLog(1, 10), new MemoryStore()];
  const asked = new Condition();
  let mayAnswer = false;
  const sink = new MemorySink(store);
  const positions = sink.positions.bind(sink);
  sink.positions = async (starts) => {
    await asked.until(() => mayAnswer);
    return positions(starts);
  };
  const source = new MemorySource(log);
  const running = runToEnd({ source, sink, store, log });
  void source.fetch({ partition: 0, fetchedOffset: 0, records: log[0]! });
  mayAnswer = true;
  asked.notify();
  await running;
  assertCountedOnce(store, log);
});

Deno.test("Pipeline reads its positions after a rebalance only when the commit under way is settled", async () => {
  const [log, store, witness] = [makeLog(2, 30), new MemoryStore(), new Witness()];
  const source = new MemorySource(log);
  const order: string[] = [];
  let isFirst = true;
  const sink = new MemorySink(store, async (moment) => {
    if (moment === "before" && isFirst) {
      isFirst = false;
      source.assign([0, 1]);
      for (let turn = 0; turn < 20; turn++) await Promise.resolve();
    }
    order.push(moment);
  });
  const positions = sink.positions.bind(sink);
  sink.positions = (starts) => {
    order.push("positions");
    return positions(starts);
  };
  await runToEnd({ source, sink, store, log, witness });
  assertCountedOnce(store, log);
  assert.deepEqual(order.slice(0, 4), ["positions", "before", "after", "positions"]);
});

Deno.test("Pipeline keeps a commit whose answer was lost, without counting it again", async () => {
  const [log, store, witness] = [makeLog(2, 25), new MemoryStore(), new Witness()];
  let commits = 0;
  const sink = new MemorySink(store, (moment) => {
    if (moment === "after" && ++commits === 2) throw new UnavailableError("cut off");
  });
  await runToEnd({ source: new MemorySource(log), sink, store, log, witness });
  assertCountedOnce(store, log);
  assert.equal(witness.fences, 0, "the second try finds it stored");
  assert.deepEqual(witness.failures, ["commit"]);
});

Deno.test("Pipeline stops reading while the sink is away, and continues when it is back", async () => {
  const [log, store, witness] = [makeLog(1, 500), new MemoryStore(), new Witness()];
  let failuresLeft = 2;
  const sink = new MemorySink(store, (moment) => {
    if (moment === "before" && failuresLeft-- > 0) throw new UnavailableError("away");
  });
  const source = new MemorySource(log, { fetchSize: 1 });
  let fetches = 0;
  const fetch = source.fetch.bind(source);
  source.fetch = (fetched) => {
    fetches++;
    return fetch(fetched);
  };
  const running = runToEnd({ source, sink, store, log, witness });
  await witness.changed.until(() => witness.failures.length === 1);
  const fetchesWhenAway = fetches;
  await witness.changed.until(() => witness.failures.length === 2);
  assert.ok(fetches <= fetchesWhenAway + 1, `${fetches - fetchesWhenAway} fetches went on`);
  await running;
  assertCountedOnce(store, log);
  assert.equal(witness.positionedTimes, 2, "nobody has seen whether it still is the same log");
});

Deno.test("Pipeline stops with the error that requires an operator, and stores nothing more", async () => {
  const [log, store] = [makeLog(1, 40), new MemoryStore()];
  let commits = 0;
  const sink = new MemorySink(store, (moment) => {
    if (moment === "before" && ++commits === 2) throw new OperatorError("column is missing");
  });
  const source = new MemorySource(log, { fetchSize: 1 });
  await assert.rejects(runToEnd({ source, sink, store, log }), /column is missing/);
  assert.equal(commits, 2);
  assertCountedOnce(store, [log[0]!.slice(0, store.offsets.get(0))]);
});

Deno.test("Pipeline stops without the last commit when the sink is away", async () => {
  const [log, store, witness] = [makeLog(1, 5), new MemoryStore(), new Witness()];
  const sink = new MemorySink(store, () => {
    throw new UnavailableError("away");
  });
  const stop = new AbortController();
  const running = makePipeline({ source: new MemorySource(log), sink, observer: witness })
    .run(stop.signal);
  await witness.changed.until(() => witness.failures.length > 0);
  stop.abort();
  await running;
  assert.match(String(witness.abandonedWith), /away/);
  assert.equal(store.counts.size, 0);
});

Deno.test("Pipeline refuses to continue when records were deleted before they were counted", async () => {
  const [log, store] = [makeLog(1, 20), new MemoryStore()];
  await new MemorySink(store).positions(new Map([[0, 0]]));
  await new MemorySink(store).commit(commitOf([[0, 0, 5]]));
  const source = new MemorySource(log, { startOffset: 8 });
  await assert.rejects(
    runToEnd({ source, sink: new MemorySink(store), store, log }),
    (error: Error) => error instanceof OperatorError && /deleted 3 offsets/.test(error.message),
  );
});

Deno.test("Pipeline notices that the log's start moves past it while it runs", async () => {
  const [log, store, witness] = [makeLog(1, 10), new MemoryStore(), new Witness()];
  const source = new MemorySource(log);
  const running = makePipeline({ source, sink: new MemorySink(store), observer: witness })
    .run(new AbortController().signal);
  await witness.changed.until(() => store.offsets.get(0) === 10);
  source.deleteBefore(15);
  // Kafka's client starts over at the log's start without a word: its next fetch is from there.
  await source.fetch({ partition: 0, fetchedOffset: 15, records: [record(0, 15)] });
  await assert.rejects(running, /deleted 5 offsets/);
  assert.equal(store.offsets.get(0), 10);
});

Deno.test("Pipeline refuses a log that is shorter than what was counted", async () => {
  const store = new MemoryStore();
  const sink = new MemorySink(store);
  await sink.positions(new Map([[0, 0]]));
  await sink.commit(commitOf([[0, 0, 50]]));
  const log = makeLog(1, 20);
  await assert.rejects(
    runToEnd({ source: new MemorySource(log), sink, store, log }),
    (error: Error) =>
      error instanceof OperatorError && /not the log that was counted/.test(error.message),
  );
});

Deno.test("Pipeline without partitions waits", async () => {
  const [store, witness] = [new MemoryStore(), new Witness()];
  const stop = new AbortController();
  const running = makePipeline({
    source: new MemorySource([]),
    sink: new MemorySink(store),
    observer: witness,
  })
    .run(stop.signal);
  await witness.changed.until(() => witness.positionedTimes === 1);
  stop.abort();
  await running;
  assert.equal(store.offsets.size, 0);
});

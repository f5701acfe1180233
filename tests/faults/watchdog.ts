import assert from "node:assert/strict";
import { createRequire } from "node:module";
import "kafkajs/src/consumer/consumerGroup.js";
import { EventParser } from "../../lib/core/windowing/event.ts";
import { createKafka } from "../../lib/io/kafka/client.ts";
import { KafkaCluster } from "../../lib/io/kafka/cluster.ts";
import { KafkaSource } from "../../lib/io/kafka/source.ts";
import { Pipeline } from "../../lib/pipeline/pipeline.ts";
import { newSha256 } from "../../lib/io/sha256.ts";
import { makeLines } from "../support/event_lines.ts";
import { eventually } from "../support/eventually.ts";
import { Expectation } from "../support/expectation.ts";
import { createTopic } from "../support/kafka.ts";
import { kcatProduce } from "../support/kcat.ts";
import { MemorySink, MemoryStore } from "../support/memory_ends.ts";
import { Witness } from "../support/pipeline_run.ts";
import { serverTest } from "../support/servers.ts";

const RECORDS = 1_000;

serverTest("a consumer that hangs without a word is replaced, and every record is counted once", [
  "kafka",
], async () => {
  await using topic = await createTopic({ partitions: 2 });
  const { config } = topic;
  const kafka = await createKafka(config);
  await using cluster = new KafkaCluster(kafka, config);
  await using source = new KafkaSource(kafka, { config, cluster });
  const [store, witness, stalls] = [new MemoryStore(), new Witness(), [] as number[][]];
  const pipeline = new Pipeline({
    source,
    sink: new MemorySink(store),
    observer: Object.assign(witness, {
      stalled: (ids: readonly number[]) => stalls.push([...ids]),
    }),
    parser: new EventParser({ maxFutureMs: 300_000 }),
    windowMs: 60_000,
    newSha256,
    graceMs: 60_000,
    commitIntervalMs: 50,
    onDataLoss: "fail",
    stallMs: 1_000,
    stopTimeoutMs: 5_000,
  });
  const stop = new AbortController();
  const running = pipeline.run(stop.signal);
  const read = () => [...store.offsets.values()].reduce((sum, offset) => sum + offset, 0);
  try {
    await kcatProduce(topic, makeLines(RECORDS, new Expectation()));
    await eventually(() => read() === RECORDS);

    const ConsumerGroup = createRequire(import.meta.url)("kafkajs/src/consumer/consumerGroup.js");
    const { fetch } = ConsumerGroup.prototype;
    const hangs = Promise.withResolvers<void>();
    ConsumerGroup.prototype.fetch = () => {
      hangs.resolve();
      return new Promise(() => {});
    };
    await hangs.promise;
    ConsumerGroup.prototype.fetch = fetch; // for the next consumer; this one waits for ever
    await kcatProduce(topic, makeLines(RECORDS, new Expectation()));
    await eventually(() => read() === 2 * RECORDS);
  } finally {
    stop.abort();
    await running;
  }
  assert.ok(stalls.length > 0, "it was the watch that has noticed");
  const counted = [...store.counts.values()].reduce((sum, count) => sum + count, 0);
  assert.equal(counted + store.deadLetters.size, 2 * RECORDS);
});

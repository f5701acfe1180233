import assert from "node:assert/strict";
import { createRequire } from "node:module";
import "kafkajs/src/consumer/consumerGroup.js";
import { Condition } from "../../../lib/async/condition.ts";
import { isPassing, OperatorError } from "../../../lib/core/failure.ts";
import type { Fetched } from "../../../lib/core/records/log_batch.ts";
import type { SourceReader } from "../../../lib/pipeline/source.ts";
import { createKafka } from "../../../lib/io/kafka/client.ts";
import { KafkaCluster } from "../../../lib/io/kafka/cluster.ts";
import { KafkaSource } from "../../../lib/io/kafka/source.ts";
import { eventually, MAX_WAIT_MS } from "../../support/eventually.ts";
import { createTopic, openAdmin, type TestTopic } from "../../support/kafka.ts";
import { kcatProduce } from "../../support/kcat.ts";
import { serverTest } from "../../support/servers.ts";

/** A source that reads, and what it has told its reader. */
class Reading implements AsyncDisposable, SourceReader {
  readonly changed = new Condition();
  readonly source: KafkaSource;
  readonly fetches: Fetched[] = [];
  readonly interruptions: unknown[] = [];
  assignments = 0;
  /** The newest of them. */
  partitions: readonly number[] = [];
  /** Awaited by each fetch. */
  gate: () => Promise<void> = () => Promise.resolve();
  /** Called in place of reading on at the positions. */
  onAssigned: (() => void) | null = null;
  readonly positions = new Map<number, number>();
  readonly #cluster: KafkaCluster;
  readonly #stop = new AbortController();
  readonly ended: Promise<void>;

  private constructor(source: KafkaSource, cluster: KafkaCluster) {
    this.source = source;
    this.#cluster = cluster;
    this.ended = source.read(this, this.#stop.signal);
    this.ended.catch(() => {});
  }

  static async start({ config }: TestTopic): Promise<Reading> {
    const kafka = await createKafka(config);
    const cluster = new KafkaCluster(kafka, config);
    return new Reading(new KafkaSource(kafka, { config, cluster }), cluster);
  }

  assigned(partitions: readonly number[]): void {
    this.assignments++;
    this.partitions = partitions;
    if (this.onAssigned) this.onAssigned();
    else this.source.resume(new Map(partitions.map((id) => [id, this.positions.get(id) ?? 0])));
    this.changed.notify();
  }

  async fetched(fetched: Fetched): Promise<void> {
    this.fetches.push(fetched);
    this.positions.set(fetched.partition, fetched.nextOffset);
    this.changed.notify();
    await this.gate();
  }

  interrupted(error: unknown): void {
    this.interruptions.push(error);
    this.changed.notify();
  }

  async until(isSo: () => boolean): Promise<void> {
    assert.ok(
      await this.changed.until(isSo, { timeoutMs: MAX_WAIT_MS }),
      `waited in vain for ${isSo}`,
    );
  }

  get records(): number {
    return this.fetches.reduce(
      (sum, { fetchedOffset, nextOffset }) => sum + nextOffset - fetchedOffset,
      0,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.ended.catch(() => {});
    await this.source[Symbol.asyncDispose]();
    await this.#cluster[Symbol.asyncDispose]();
  }
}

const lines = (count: number) => Array.from({ length: count }, (_, n) => `line ${n}`);

serverTest("KafkaSource reads nothing before it is told where to go on", ["kafka"], async () => {
  await using topic = await createTopic({ partitions: 2 });
  await kcatProduce(topic, lines(1_000), { partition: 0 });
  await using reading = await Reading.start(topic);
  reading.onAssigned = () => {};
  await reading.until(() => reading.assignments === 1);
  await reading.changed.until(() => reading.fetches.length > 0, { timeoutMs: 1_000 });
  assert.equal(reading.fetches.length, 0);
  reading.source.resume(new Map([[0, 700], [1, 0], [9, 5]]));
  await reading.until(() => reading.fetches.length > 0);
  assert.equal(reading.fetches[0]!.fetchedOffset, 700);
});

serverTest(
  "KafkaSource stays a member of its group while its reader is busy for longer than a session",
  ["kafka"],
  async () => {
    await using topic = await createTopic({ partitions: 1 });
    await kcatProduce(topic, lines(100));
    await using reading = await Reading.start(topic);
    const busy = Promise.withResolvers<void>();
    reading.gate = () => busy.promise;
    await reading.until(() => reading.fetches.length === 1);
    await using admin = await openAdmin(topic.brokers);
    const isMember = async () => {
      const { groups } = await admin.describeGroups([topic.config.groupId]);
      return groups[0]!.state === "Stable" && groups[0]!.members.length === 1;
    };
    for (let second = 0; second < 13; second++) { // a session is 10 s
      assert.ok(await isMember());
      await reading.changed.until(() => reading.assignments > 1, { timeoutMs: 1_000 });
    }
    assert.equal(reading.assignments, 1);
    assert.equal(reading.fetches.length, 1, "it reads nothing on meanwhile");
    await kcatProduce(topic, lines(100));
    reading.gate = () => Promise.resolve();
    busy.resolve();
    await reading.until(() => reading.records === 200);
  },
);

serverTest("KafkaSource starts another consumer when kafkajs crashes by a mistake of its own", [
  "kafka",
], async () => {
  await using topic = await createTopic({ partitions: 1 });
  const ConsumerGroup = createRequire(import.meta.url)("kafkajs/src/consumer/consumerGroup.js");
  const { fetch } = ConsumerGroup.prototype;
  await using reading = await Reading.start(topic);
  await kcatProduce(topic, lines(100));
  await reading.until(() => reading.records === 100);
  ConsumerGroup.prototype.fetch = () => {
    ConsumerGroup.prototype.fetch = fetch;
    throw new TypeError("Cannot read properties of undefined");
  };
  await reading.until(() => reading.interruptions.length === 1);
  assert.ok(isPassing(reading.interruptions[0]));
  await kcatProduce(topic, lines(100));
  await reading.until(() => reading.records === 200);
});

serverTest("KafkaSource ends with what needs a person, although it comes through kafkajs", [
  "kafka",
], async () => {
  await using topic = await createTopic({ partitions: 1 });
  const ConsumerGroup = createRequire(import.meta.url)("kafkajs/src/consumer/consumerGroup.js");
  const { fetch } = ConsumerGroup.prototype;
  await using reading = await Reading.start(topic);
  await reading.until(() => reading.assignments === 1);
  // As the decoder says it, of the same batch each time.
  ConsumerGroup.prototype.fetch = () => Promise.reject(new OperatorError("a batch is damaged"));
  try {
    await assert.rejects(reading.ended, (error) => {
      return error instanceof OperatorError && /a batch is damaged/.test(error.message);
    });
  } finally {
    ConsumerGroup.prototype.fetch = fetch;
  }
  assert.equal(reading.interruptions.length, 0);
});

serverTest("KafkaSource connects anew when it is told that nothing comes", ["kafka"], async () => {
  await using topic = await createTopic({ partitions: 1 });
  await using reading = await Reading.start(topic);
  reading.onAssigned = () => {}; // as if kafkajs had lost the resume
  await kcatProduce(topic, lines(100));
  await reading.until(() => reading.assignments === 1);
  reading.onAssigned = null;
  reading.source.renew();
  await reading.until(() => reading.records === 100);
  assert.equal(reading.assignments, 2);
});

serverTest(
  "KafkaSource leaves no member behind when it connects anew while kafkajs joins the group",
  ["kafka"],
  async () => {
    await using topic = await createTopic();
    const ConsumerGroup = createRequire(import.meta.url)("kafkajs/src/consumer/consumerGroup.js");
    const { joinAndSync } = ConsumerGroup.prototype;
    const joins = Promise.withResolvers<void>();
    const mayJoin = Promise.withResolvers<void>();
    const first = Promise.withResolvers<void>();
    ConsumerGroup.prototype.joinAndSync = async function () {
      ConsumerGroup.prototype.joinAndSync = joinAndSync; // for the next consumer
      joins.resolve();
      await mayJoin.promise;
      first.resolve(joinAndSync.call(this));
      await first.promise;
    };
    await using reading = await Reading.start(topic);
    await joins.promise;
    reading.source.renew();
    await reading.until(() => reading.partitions.length === 4);
    mayJoin.resolve();
    await first.promise.catch(() => {});

    await using admin = await openAdmin(topic.brokers);
    await eventually(async () => {
      const { groups } = await admin.describeGroups([topic.config.groupId]);
      return groups[0]!.state === "Stable" && groups[0]!.members.length === 1;
    });
    await reading.until(() => reading.partitions.length === 4);
  },
);

serverTest("KafkaSource ends with what its reader throws", ["kafka"], async () => {
  await using topic = await createTopic({ partitions: 1 });
  await using reading = await Reading.start(topic);
  reading.gate = () => Promise.reject(new OperatorError("not the log that was counted"));
  await kcatProduce(topic, lines(1));
  await assert.rejects(reading.ended, /not the log that was counted/);
});

serverTest(
  "KafkaSource tells Kafka's tools how far it is, and leaves its group when it is disposed",
  ["kafka"],
  async () => {
    await using topic = await createTopic({ partitions: 2 });
    await using admin = await openAdmin(topic.brokers);
    const { groupId } = topic.config;
    {
      await using reading = await Reading.start(topic);
      await reading.until(() => reading.assignments === 1);
      for (let offset = 1; offset <= 20; offset++) {
        reading.source.acknowledge(new Map([[0, offset], [1, 2 * offset], [7, 1]]));
      }
    }
    // Before its session would be over; a busy broker may answer after a source has stopped waiting.
    await eventually(async () => {
      const [offsets] = await admin.fetchOffsets({ groupId, topics: [topic.name] });
      const committed = offsets!.partitions.map(({ offset }) => offset).sort();
      assert.deepEqual(committed, ["20", "40"]);
      const { groups } = await admin.describeGroups([groupId]);
      assert.equal(groups[0]!.members.length, 0);
    }, { timeoutMs: 8_000 });
  },
);

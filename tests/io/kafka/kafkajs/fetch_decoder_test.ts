import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import {
  Kafka,
  logLevel,
  type Message,
  type Producer,
} from "../../../../lib/io/kafka/kafkajs/kafkajs.ts";
import { eventually } from "../../../support/eventually.ts";
import { run } from "../../../support/guarded_process.ts";
import { createTopic, javaCommand, openAdmin, type TestTopic } from "../../../support/kafka.ts";
import { kcatProduce } from "../../../support/kcat.ts";
import { type PlainRecord, readWithKafkajs, readWithOurs } from "../../../support/record_reader.ts";
import { serverTest } from "../../../support/servers.ts";

const lines = Array.from(
  { length: 3_000 },
  (_, n) =>
    JSON.stringify({
      lottery_name: `lottery ${n % 13}`,
      event_type: "clicked",
      timestamp: 1e12 + n,
    }),
);

async function assertReadsLikeKafkajs(
  topic: TestTopic,
  from?: ReadonlyMap<number, number>,
): Promise<number> {
  const [ours, theirs] = [await readWithOurs(topic, from), await readWithKafkajs(topic, from)];
  assert.equal(ours.length, theirs.length);
  for (const [at, record] of ours.entries()) assert.deepEqual(record, theirs[at]);
  return ours.length;
}

function hasGaps(records: readonly PlainRecord[]): boolean {
  return records.some(({ offset }, at) => at > 0 && offset > records[at - 1]!.offset + 1);
}

async function withProducer(
  topic: TestTopic,
  options: { readonly transactionalId?: string },
  body: (producer: Producer) => Promise<void>,
): Promise<void> {
  const kafka = new Kafka({ brokers: [...topic.config.brokers], logLevel: logLevel.NOTHING });
  const producer = kafka.producer({
    allowAutoTopicCreation: false,
    createPartitioner: () => ({ message }) => message.partition ?? 0,
    ...options.transactionalId && { ...options, maxInFlightRequests: 1, idempotent: true },
  });
  await producer.connect();
  try {
    await body(producer);
  } finally {
    await producer.disconnect();
  }
}

for (const codec of ["none", "gzip", "snappy", "lz4", "zstd"] as const) {
  serverTest(`decodeRecordBatches() reads ${codec} batches like kafkajs`, ["kafka"], async () => {
    await using topic = await createTopic({ partitions: 2 });
    await kcatProduce(topic, [...lines, ""], { codec });
    assert.equal(await assertReadsLikeKafkajs(topic), lines.length + 1);
    await assertReadsLikeKafkajs(topic, new Map([[0, 17], [1, 1_001]]));
  });
}

serverTest("decodeRecordBatches() reads snappy as Java frames it", ["kafka", "java"], async () => {
  await using topic = await createTopic({ partitions: 1 });
  const [java, ...args] = await javaCommand(
    "org.apache.kafka.tools.ConsoleProducer",
    ...[
      "--bootstrap-server",
      topic.brokers,
      "--topic",
      topic.name,
      "--compression-codec",
      "snappy",
      "--request-timeout-ms",
      "60000",
    ],
  );
  await run(java!, args, { stdin: lines.join("\n") });
  const values = (await readWithOurs(topic)).map(({ value }) =>
    Buffer.from(value!, "hex").toString()
  );
  assert.deepEqual(values, lines);
});

serverTest(
  "decodeRecordBatches() reads keys, headers and nulls like kafkajs",
  ["kafka"],
  async () => {
    await using topic = await createTopic({
      partitions: 1,
      config: { "message.timestamp.after.max.ms": String(Number.MAX_SAFE_INTEGER) },
    });
    const messages: Message[] = [
      { key: null, value: null },
      { key: "", value: "" },
      { key: "k", value: "v", timestamp: "1" },
      { key: "k", value: "v", timestamp: "253402300799999" },
      { key: "ü".repeat(40), value: Buffer.alloc(20_000, 7) },
      {
        value: "with headers",
        headers: { a: "1", "b ü": Buffer.from([0, 255]), twice: ["x", "y"], empty: "" },
      },
    ];
    await withProducer(topic, {}, async (producer) => {
      await producer.send({ topic: topic.name, messages });
      for (const message of messages) {
        await producer.send({ topic: topic.name, messages: [message] });
      }
    });
    assert.equal(await assertReadsLikeKafkajs(topic), 2 * messages.length);
  },
);

serverTest(
  "decodeRecordBatches() takes the log's time where the topic says so",
  ["kafka"],
  async () => {
    await using topic = await createTopic({
      partitions: 1,
      config: { "message.timestamp.type": "LogAppendTime" },
    });
    const before = Date.now();
    await withProducer(topic, {}, async (producer) => {
      await producer.send({
        topic: topic.name,
        messages: [{ value: "a", timestamp: "1000" }, { value: "b", timestamp: "2000" }],
      });
    });
    await assertReadsLikeKafkajs(topic);
    for (const { timestampMs } of await readWithOurs(topic)) {
      assert.ok(
        timestampMs >= before - 1_000,
      );
    }
  },
);

serverTest(
  "decodeRecordBatches() reads what compaction has left like kafkajs",
  ["kafka"],
  async () => {
    await using topic = await createTopic({
      partitions: 1,
      config: {
        "cleanup.policy": "compact",
        "segment.ms": "100",
        "min.cleanable.dirty.ratio": "0.01",
        "min.compaction.lag.ms": "0",
        "max.compaction.lag.ms": "200",
      },
    });
    await withProducer(topic, {}, async (producer) => {
      await eventually(async () => {
        await producer.send({
          topic: topic.name,
          messages: Array.from(
            { length: 500 },
            // Most are compacted away, but some between them stay.
            (_, n) => ({ key: n % 50 === 0 ? crypto.randomUUID() : "key", value: `value ${n}` }),
          ),
        });
        return hasGaps(await readWithOurs(topic)); // the cleaner has been there
      });
    });
    await eventually(() => assertReadsLikeKafkajs(topic)); // the cleaner may come between the two
  },
);

serverTest("dropAborted() leaves out aborted transactions, also interleaved and from the middle", [
  "kafka",
], async () => {
  await using topic = await createTopic({ partitions: 1 });
  const send = (to: { send: Producer["send"] }, value: string) =>
    to.send({ topic: topic.name, messages: [{ value }, { value: `${value} too` }] });

  await withProducer(topic, { transactionalId: crypto.randomUUID() }, async (first) => {
    await withProducer(topic, { transactionalId: crypto.randomUUID() }, async (second) => {
      await withProducer(topic, {}, async (plain) => {
        for (let round = 0; round < 3; round++) {
          const a = await first.transaction();
          const b = await second.transaction();
          await send(a, `aborted a${round}`);
          await send(b, `aborted b${round}`);
          await send(plain, `plain ${round}`);
          await send(a, `aborted again a${round}`);
          await a.abort();
          await send(b, `aborted again b${round}`);
          await b.abort();
          const c = await first.transaction();
          await send(c, `committed ${round}`);
          await send(plain, `plain again ${round}`);
          await c.commit();
        }
      });
    });
  });

  const expected = [0, 1, 2].flatMap((round) =>
    ["plain", "committed", "plain again"].flatMap((
      name,
    ) => [`${name} ${round}`, `${name} ${round} too`])
  );
  const all = await eventually(async () => {
    const records = await readWithOurs(topic); // all, once the last transaction can be read
    return records.length >= expected.length && records;
  });
  const values = all.map(({ value }) => Buffer.from(value!, "hex").toString());
  assert.deepEqual(values, expected);

  // From every offset, in the middle of transactions too: always the same records.
  await using admin = await openAdmin(topic.brokers);
  const end = Number((await admin.fetchTopicOffsets(topic.name))[0]!.high);
  for (let from = 0; from <= end; from++) {
    const rest = await readWithOurs(topic, new Map([[0, from]]));
    assert.deepEqual(rest, all.filter(({ offset }) => offset >= from), `from offset ${from}`);
  }
});

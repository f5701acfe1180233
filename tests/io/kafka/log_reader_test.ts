import assert from "node:assert/strict";
import { isPassing } from "../../../lib/core/failure.ts";
import { LogStartMovedError } from "../../../lib/core/audit/audited_log.ts";
import type { LogPart } from "../../../lib/core/offsets/log_range.ts";
import { createKafka } from "../../../lib/io/kafka/client.ts";
import { Kafka, logLevel, type Producer } from "../../../lib/io/kafka/kafkajs/kafkajs.ts";
import { LogReader } from "../../../lib/io/kafka/log_reader.ts";
import { eventually } from "../../support/eventually.ts";
import { createTopic, openAdmin, type TestTopic } from "../../support/kafka.ts";
import { kcatProduce } from "../../support/kcat.ts";
import { recordsIn } from "../../support/pieces.ts";
import { readWithOurs } from "../../support/record_reader.ts";
import { serverTest } from "../../support/servers.ts";

/** Offset and value of each record of the part. */
async function readPart(
  { config }: TestTopic,
  { partition, from, to }: LogPart,
): Promise<[offset: number, value: string | null][]> {
  await using reader = await LogReader.open(await createKafka(config), config);
  const records: [number, string | null][] = [];
  for await (const batches of reader.read({ partition, from, to })) {
    for await (const cursor of recordsIn(batches)) {
      if (cursor.offset < from || cursor.offset >= to) continue;
      records.push([cursor.offset, cursor.value()?.toHex() ?? null]);
    }
  }
  return records;
}

async function endOf({ brokers, name }: TestTopic): Promise<number> {
  await using admin = await openAdmin(brokers);
  return Number((await admin.fetchTopicOffsets(name))[0]!.high);
}

async function withTransactions(
  { brokers }: TestTopic,
  body: (producer: Producer) => Promise<void>,
): Promise<void> {
  const kafka = new Kafka({ brokers: brokers.split(","), logLevel: logLevel.NOTHING });
  const producer = kafka.producer({
    transactionalId: crypto.randomUUID(),
    idempotent: true,
    maxInFlightRequests: 1,
  });
  await producer.connect();
  try {
    await body(producer);
  } finally {
    await producer.disconnect();
  }
}

serverTest("LogReader reads a part of any length, in many fetches", ["kafka"], async () => {
  await using topic = await createTopic({ partitions: 1 });
  const lines = Array.from({ length: 150_000 }, (_, n) => `${n} ${"x".repeat(100)}`);
  await kcatProduce(topic, lines, { partition: 0 });
  const offsets = (await readPart(topic, { partition: 0, from: 10, to: 149_000 }))
    .map(([offset]) => offset);
  assert.deepEqual(offsets, Array.from({ length: 148_990 }, (_, n) => 10 + n));
  assert.deepEqual(await readPart(topic, { partition: 0, from: 5, to: 5 }), []);
  assert.deepEqual(await readPart(topic, { partition: 0, from: 7, to: 5 }), []);
});

serverTest("LogReader leaves out aborted transactions, from wherever it begins", [
  "kafka",
], async () => {
  await using topic = await createTopic({ partitions: 1 });
  await withTransactions(topic, (first) =>
    withTransactions(topic, async (second) => {
      for (let round = 0; round < 2; round++) {
        const [a, b] = [await first.transaction(), await second.transaction()];
        for (const transaction of [a, b, a]) {
          await transaction.send({
            topic: topic.name,
            messages: [{ value: `${round}` }, { value: `${round} too` }],
          });
        }
        if (round === 0) await a.abort();
        else await a.commit();
        await b.commit();
      }
    }));
  const all = await eventually(async () => {
    const records = await readWithOurs(topic); // all, once the last transaction can be read
    return records.length === 2 + 6 && records.map(({ offset, value }) => [offset, value]);
  });
  const to = await endOf(topic);
  for (let from = 0; from <= to; from++) {
    assert.deepEqual(
      await readPart(topic, { partition: 0, from, to }),
      all.filter(([offset]) => Number(offset) >= from),
    );
  }
});

serverTest("LogReader says that Kafka has deleted what was to be read", ["kafka"], async () => {
  await using topic = await createTopic({ partitions: 1 });
  await kcatProduce(topic, ["a", "b", "c"]);
  await using admin = await openAdmin(topic.brokers);
  await admin.fetchTopicOffsets(topic.name);
  await admin.deleteTopicRecords({
    topic: topic.name,
    partitions: [{ partition: 0, offset: "2" }],
  });
  await assert.rejects(readPart(topic, { partition: 0, from: 1, to: 3 }), LogStartMovedError);
  assert.equal((await readPart(topic, { partition: 0, from: 2, to: 3 })).length, 1);
});

serverTest("LogReader gives up when the log does not reach so far", ["kafka"], async () => {
  await using topic = await createTopic({ partitions: 1 });
  await kcatProduce(topic, ["a"]);
  await assert.rejects(readPart(topic, { partition: 0, from: 0, to: 2 }), (error) => {
    return isPassing(error) && /Cannot reach Kafka/.test(String(error));
  });
});

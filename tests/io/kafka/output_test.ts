import assert from "node:assert/strict";
import { UnavailableError } from "../../../lib/core/failure.ts";
import type { ClosedCount } from "../../../lib/core/windowing/closed_count.ts";
import { createKafka } from "../../../lib/io/kafka/client.ts";
import { KafkaOutput } from "../../../lib/io/kafka/output.ts";
import { createTopic, type TestTopic } from "../../support/kafka.ts";
import { kcatConsume } from "../../support/kcat.ts";
import { serverTest } from "../../support/servers.ts";

const NOON_MS = Date.UTC(2026, 0, 1, 12);

function countOf(lotteryName: string, revision: number): ClosedCount {
  const [windowStartMs, windowEndMs] = [NOON_MS, NOON_MS + 60_000];
  return { windowStartMs, windowEndMs, lotteryName, eventType: "pay", count: revision, revision };
}

async function openOutput({ config, name }: TestTopic): Promise<KafkaOutput> {
  const ofEvents = { ...config, topic: "events" };
  const output = new KafkaOutput(await createKafka(ofEvents), ofEvents, name);
  await output.open();
  return output;
}

serverTest(
  "KafkaOutput refuses what a worker sends after another one has opened it",
  ["kafka"],
  async () => {
    await using topic = await createTopic({ partitions: 3 });
    const open = () => openOutput(topic);
    const frozen = await open();
    await frozen.send([countOf("keno", 1), countOf("lötto \"'\\", 2)]);
    const next = await open();
    await next.send([countOf("keno", 4)]);
    await assert.rejects(
      frozen.send([countOf("keno", 3)]),
      (error: Error) =>
        error instanceof UnavailableError && /Another worker now publishes/.test(error.message),
    );
    await next.send([countOf("keno", 5)]);
    await Promise.all([frozen.close(), next.close()]);

    const records = await kcatConsume(topic, 4);
    const revisions = (name: string) =>
      records.map(({ value }) => JSON.parse(value))
        .filter(({ lottery_name }) => lottery_name === name).map(({ revision }) => revision);
    assert.deepEqual(revisions("keno"), [1, 4, 5]);
    assert.deepEqual(revisions("lötto \"'\\"), [2]);
  },
);

serverTest(
  "KafkaOutput refuses what a worker sends first after another one has opened it",
  ["kafka"],
  async () => {
    await using topic = await createTopic();
    const frozen = await openOutput(topic);
    const next = await openOutput(topic);
    await assert.rejects(frozen.send([countOf("keno", 1)]), UnavailableError);
    await next.send([countOf("keno", 2)]);
    await assert.rejects(frozen.send([countOf("keno", 1)]), UnavailableError);
    await Promise.all([frozen.close(), next.close()]);
    const records = await kcatConsume(topic, 1);
    assert.deepEqual(records.map(({ value }) => JSON.parse(value).revision), [2]);
  },
);

serverTest(
  "KafkaOutput says which setting names a topic that is not there",
  ["kafka"],
  async () => {
    await using topic = await createTopic();
    const output = new KafkaOutput(await createKafka(topic.config), topic.config, "not-there");
    await assert.rejects(output.open(), /not-there does not exist. Create it, or set KAFKA_OUTPUT/);
  },
);

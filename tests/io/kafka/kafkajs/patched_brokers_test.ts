import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { Addresses } from "../../../../lib/io/kafka/kafkajs/addresses.ts";
import "../../../../lib/io/kafka/kafkajs/kafkajs.ts";
import { NoBrokerError } from "../../../../lib/io/kafka/broker_errors.ts";

const require = createRequire(import.meta.url);
const BrokerPool = require("kafkajs/src/cluster/brokerPool.js");
const metadata = require("kafkajs/src/protocol/requests/metadata/v6/response.js");

/** What asking brokers 1, 2 and 3 comes to, of which the last is connected; and who was asked. */
async function ask(
  answer: (nodeId: string) => unknown,
): Promise<{ readonly asked: string[]; readonly outcome: unknown }> {
  const asked: string[] = [];
  const brokers = { 1: "", 2: "", 3: "3" } as Record<string, unknown>;
  for (const id of Object.keys(brokers)) brokers[id] = { isConnected: () => id === "3" };
  const pool = {
    brokers,
    findBroker: ({ nodeId }: { readonly nodeId: string }) =>
      nodeId === "1" ? Promise.reject(new Error("refused")) : Promise.resolve(brokers[nodeId]),
  };
  const question = ({ nodeId }: { readonly nodeId: string }) => {
    asked.push(nodeId);
    return Promise.resolve(answer(nodeId));
  };
  const outcome = await BrokerPool.prototype.withBroker.call(pool, question)
    .catch((error: unknown) => error);
  return { asked, outcome };
}

function fails(type: string): () => never {
  return () => {
    throw Object.assign(new Error(type), { type });
  };
}

Deno.test("a pool asks a broker that is connected first, and then the others, until one answers", async () => {
  assert.deepEqual(await ask((nodeId) => `from ${nodeId}`), { asked: ["3"], outcome: "from 3" });
  const busy = fails("GROUP_LOAD_IN_PROGRESS");
  assert.deepEqual(await ask((nodeId) => nodeId === "3" ? busy() : `from ${nodeId}`), {
    asked: ["3", "2"],
    outcome: "from 2",
  });
});

Deno.test("a pool whose brokers all fail tells why, and that we may not ask at once", async () => {
  const busy = await ask(fails("GROUP_LOAD_IN_PROGRESS"));
  assert.deepEqual([busy.asked, (busy.outcome as Error).message], [
    ["3", "2"],
    "GROUP_LOAD_IN_PROGRESS",
  ]);
  const forbidden = await ask(fails("GROUP_AUTHORIZATION_FAILED"));
  assert.deepEqual([forbidden.asked, (forbidden.outcome as Error).message], [
    ["3"],
    "GROUP_AUTHORIZATION_FAILED",
  ]);
});

/** What a pool says of the only address that it was given, where connecting fails like this. */
async function reasonOf(failure: object): Promise<string> {
  const address = { host: "kafka", port: 9092 };
  const pool = {
    connectionPoolBuilder: { addresses: new Addresses(["kafka:9092"]) },
    hasConnectedBrokers: () => false,
    createSeedBroker: () => Promise.resolve(),
    seedBroker: {
      connectionPool: address,
      connect: () => Promise.reject(Object.assign(new Error("It says why"), failure)),
    },
    logger: { error: () => {} },
  };
  const error: unknown = await BrokerPool.prototype.connect.call(pool).catch((e: unknown) => e);
  assert.ok(error instanceof NoBrokerError);
  return error.message;
}

Deno.test("a pool that reaches nobody tells why in the words of the socket or of Kafka, not in Kafka's numbers", async () => {
  assert.equal(
    await reasonOf({ name: "KafkaJSConnectionError", code: "ECONNREFUSED" }),
    "kafka:9092: ECONNREFUSED",
  );
  assert.equal(
    await reasonOf({ name: "KafkaJSProtocolError", type: "ILLEGAL_SASL_STATE", code: 34 }),
    "kafka:9092: It says why",
  );
});

const LEADER_NOT_AVAILABLE = 5;
const UNKNOWN_TOPIC = 3;

function topicWith(topicErrorCode: number, partitionErrorCode: number) {
  return {
    topicMetadata: [{
      topicErrorCode,
      partitionMetadata: [{ partitionErrorCode, partitionId: 0, leader: -1 }],
    }],
  };
}

Deno.test("a topic is known although one of its partitions has no leader", async () => {
  const known = topicWith(0, LEADER_NOT_AVAILABLE);
  assert.equal(await metadata.parse(known), known);
  await assert.rejects(metadata.parse(topicWith(UNKNOWN_TOPIC, 0)), {
    type: "UNKNOWN_TOPIC_OR_PARTITION",
  });
});

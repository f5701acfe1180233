import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { createKafka } from "../../../lib/io/kafka/client.ts";
import { KafkaCluster } from "../../../lib/io/kafka/cluster.ts";
import { createTopic } from "../../support/kafka.ts";
import { serverTest } from "../../support/servers.ts";

const require = createRequire(import.meta.url);
const Broker = require("kafkajs/src/broker/index.js");
const { createErrorFromCode } = require("kafkajs/src/protocol/error.js");

/** What a coordinator says while it reads its topic, by the request that it says it to. */
const LOADING = [
  { request: "describeGroups", error: "GROUP_LOAD_IN_PROGRESS", code: 14 },
  { request: "findGroupCoordinator", error: "GROUP_COORDINATOR_NOT_AVAILABLE", code: 15 },
];

/** More than kafkajs tries by itself: three times, and within each of them three times. */
const REFUSALS = 12;

for (const { request, error, code } of LOADING) {
  serverTest(`a coordinator that answers ${request} with ${error} is waited for`, [
    "kafka",
  ], async () => {
    await using topic = await createTopic({ partitions: 1 });
    await using cluster = new KafkaCluster(await createKafka(topic.config), topic.config);
    const original = Broker.prototype[request];
    let asked = 0;
    Broker.prototype[request] = function (...args: unknown[]) {
      if (asked++ < REFUSALS) return Promise.reject(createErrorFromCode(code));
      return original.apply(this, args);
    };
    try {
      await cluster.assertGroup();
    } finally {
      Broker.prototype[request] = original;
    }
    assert.equal(asked, REFUSALS + 1);
  });
}

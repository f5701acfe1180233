import assert from "node:assert/strict";
import { OperatorError } from "../../lib/core/failure.ts";
import type { ClosedCount } from "../../lib/core/windowing/closed_count.ts";
import { createKafka } from "../../lib/io/kafka/client.ts";
import {
  AclOperationTypes,
  AclPermissionTypes,
  AclResourceTypes,
  ResourcePatternTypes,
} from "../../lib/io/kafka/kafkajs/kafkajs.ts";
import { KafkaOutput } from "../../lib/io/kafka/output.ts";
import { eventually } from "../support/eventually.ts";
import { createTopic, openAdmin } from "../support/kafka.ts";
import { kcatConsume } from "../support/kcat.ts";
import { securedKafka, USERS } from "../support/secured_kafka.ts";
import { serverTest } from "../support/servers.ts";

const COUNT: ClosedCount = {
  windowStartMs: 0,
  windowEndMs: 60_000,
  lotteryName: "keno",
  eventType: "pay",
  count: 1,
  revision: 1,
};

serverTest(
  "KafkaOutput says which right it needs, one after the other",
  ["java", "openssl", "kafka"],
  async () => {
    const kafka = await securedKafka();
    await using topic = await createTopic({}, kafka.open);
    const config = {
      ...topic.config,
      brokers: [kafka.sasl],
      ssl: { caFile: kafka.caFile, certFile: undefined, keyFile: undefined },
      sasl: { mechanism: "scram-sha-512", username: "stranger", password: USERS.stranger },
    } as const;
    const newOutput = async () => new KafkaOutput(await createKafka(config), config, topic.name);
    const publish = async () => {
      const output = await newOutput();
      try {
        await output.open();
        await output.send([COUNT]);
      } finally {
        await output.close();
      }
    };
    const { TOPIC, TRANSACTIONAL_ID } = AclResourceTypes;
    const { DESCRIBE, READ, WRITE } = AclOperationTypes;
    const allow = async (
      resourceType: AclResourceTypes,
      resourceName: string,
      operation: AclOperationTypes,
    ) => {
      await using admin = await openAdmin(kafka.open);
      await admin.createAcls({
        acl: [{
          resourceType,
          resourceName,
          operation,
          principal: "User:stranger",
          host: "*",
          permissionType: AclPermissionTypes.ALLOW,
          resourcePatternType: ResourcePatternTypes.LITERAL,
        }],
      });
    };
    const refused = async (message: RegExp) =>
      await assert.rejects(
        publish(),
        (error: Error) => error instanceof OperatorError && message.test(error.message),
      );
    const transactionalId = `${topic.config.groupId}-output`;

    const onTopic = /write to the topic .*Write, Read and Describe on KAFKA_OUTPUT_TOPIC/;
    await refused(onTopic);
    await allow(TOPIC, topic.name, DESCRIBE);
    // A broker knows of a right some moments after it was given.
    await eventually(() =>
      refused(/the transactional id .*-output \(ACL: Write and Describe on it\)/)
    );
    await allow(TRANSACTIONAL_ID, transactionalId, WRITE);
    await eventually(() => refused(onTopic));
    await allow(TOPIC, topic.name, WRITE);
    await eventually(publish);
    assert.equal((await kcatConsume(topic, 1)).length, 1);

    const read = async () => (await Array.fromAsync((await newOutput()).read())).flat();
    await assert.rejects(read(), /read the topic .*Write, Read and Describe on KAFKA_OUTPUT_TOPIC/);
    await allow(TOPIC, topic.name, READ);
    const records = await eventually(read);
    assert.deepEqual(records.map(({ count }) => count), [COUNT.count]);
  },
);

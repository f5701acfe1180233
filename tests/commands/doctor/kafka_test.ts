import assert from "node:assert/strict";
import { freePort } from "../../support/free_port.ts";
import { run } from "../../support/guarded_process.ts";
import { createTopic, freshBroker, javaCommand, openAdmin } from "../../support/kafka.ts";
import { createDatabase } from "../../support/postgres.ts";
import { securedKafka } from "../../support/secured_kafka.ts";
import { serverTest } from "../../support/servers.ts";
import { openStack } from "../../support/stack.ts";
import { Program, runProgram } from "../../support/worker_process.ts";

type Env = Readonly<Record<string, string>>;

/** Lines of what `doctor` finds in the servers. */
async function diagnose(env: Env): Promise<{ readonly code: number; readonly lines: string[] }> {
  const { code, stdout } = await runProgram(["doctor"], { env });
  return { code, lines: stdout.trim().split("\n").slice(1) }; // the first is of the settings
}

serverTest("doctor tells one cause once: servers that are away, and a password that is wrong", [
  "java",
  "kafka",
  "openssl",
  "postgres",
], async () => {
  await using stack = await openStack();
  const env = { ...stack.env, KAFKA_OUTPUT_TOPIC: "counts" };
  const away = await diagnose({
    ...env,
    KAFKA_BROKERS: `127.0.0.1:${freePort()}`,
    DATABASE_URL: `postgres://admin@127.0.0.1:${freePort()}/lottery`,
  });
  assert.equal(away.code, 1);
  assert.deepEqual(
    away.lines.map((line) => line.slice(0, 13)),
    ["FAIL  Kafka 1", "FAIL  Postgre", "ok    SMTP: S"],
  );
  const secured = await securedKafka();
  const refused = await diagnose({
    ...env,
    ...{ KAFKA_BROKERS: secured.sasl, KAFKA_SSL: "true", KAFKA_SSL_CA_FILE: secured.caFile },
    ...{ KAFKA_SASL_MECHANISM: "plain", KAFKA_SASL_USERNAME: "counter" },
    KAFKA_SASL_PASSWORD: "wrong",
  });
  const bad = refused.lines.filter((line) => line.startsWith("FAIL"));
  assert.equal(bad.length, 1, bad.join("\n"));
  assert.match(bad[0]!, /^FAIL {2}Kafka .*Cannot log in .* as counter/);
});

serverTest(
  "doctor and start name advertised.listeners when only the first address can be reached",
  [
    "java",
    "kafka",
    "postgres",
  ],
  async () => {
    const [port, outside, nowhere] = [freePort(), freePort(), freePort()];
    const inside = `PLAINTEXT://127.0.0.1:${port}`;
    await using broker = await freshBroker({
      port,
      listeners: [`OUTSIDE://127.0.0.1:${outside}`],
      settings: {
        "listener.security.protocol.map":
          "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,OUTSIDE:PLAINTEXT",
        "advertised.listeners": `${inside},OUTSIDE://127.0.0.1:${nowhere}`,
      },
    });
    await using topic = await createTopic({}, broker.address);
    await using database = await createDatabase();
    const env = {
      KAFKA_BROKERS: `127.0.0.1:${outside}`,
      KAFKA_TOPIC: topic.name,
      DATABASE_URL: database.url,
    };
    const told = new RegExp(
      `Kafka at 127.0.0.1:${outside} answers, but not its broker at 127.0.0.1:${nowhere}, the address that ` +
        "the broker advertises. Set advertised.listeners of that broker",
    );
    const { code, lines } = await diagnose(env);
    assert.equal(code, 1);
    const bad = lines.filter((line) => line.startsWith("FAIL"));
    assert.equal(bad.length, 1, bad.join("\n"));
    assert.match(bad[0]!, told);
    await using worker = await Program.start(["start"], { env });
    await worker.printed(told);
  },
);

serverTest("a topic that is missing comes with the command that creates it", [
  "java",
  "kafka",
  "postgres",
], async () => {
  await using broker = await freshBroker();
  await using database = await createDatabase();
  const env = {
    KAFKA_BROKERS: broker.address,
    KAFKA_TOPIC: "events",
    KAFKA_OUTPUT_TOPIC: "counts",
    DATABASE_URL: database.url,
  };
  const { lines } = await diagnose(env);
  assert.equal(lines.filter((line) => line.startsWith("FAIL")).length, 2, lines.join("\n"));
  const commands = lines.flatMap((line) => line.match(/kafka-topics\.sh (.+)$/)?.[1] ?? []);
  assert.equal(commands.length, 2);
  for (const command of commands) {
    const [java, ...args] = await javaCommand(
      "org.apache.kafka.tools.TopicCommand",
      ...command.split(" "),
    );
    await run(java!, args);
  }
  const created = await diagnose(env);
  assert.equal(created.code, 0, created.lines.join("\n"));
  assert.match(created.lines.join("\n"), /Topic events: 4 partitions with 0 offsets/);
  await using admin = await openAdmin(broker.address);
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: [{ type: 2, name: "counts", configNames: ["cleanup.policy"] }],
  });
  assert.equal(resources[0]!.configEntries[0]!.configValue, "compact");
});

serverTest("doctor waits for a cluster that has just been started", [
  "java",
  "kafka",
  "postgres",
], async () => {
  await using broker = await freshBroker({ settings: { "offsets.topic.num.partitions": "50" } });
  await using database = await createDatabase();
  await using topic = await createTopic({}, broker.address);
  const env = {
    KAFKA_BROKERS: broker.address,
    KAFKA_TOPIC: topic.name,
    KAFKA_GROUP_ID: "never seen before",
    DATABASE_URL: database.url,
  };
  const { code, lines } = await diagnose(env);
  assert.equal(code, 0, lines.join("\n"));
});

serverTest("doctor tells which of several addresses is dead, and which is another cluster", [
  "java",
  "kafka",
  "postgres",
], async () => {
  await using stack = await openStack();
  const dead = `127.0.0.1:${freePort()}`;
  const one = await diagnose({
    ...stack.env,
    KAFKA_BROKERS: `${dead},${stack.topic.brokers}`,
  });
  assert.equal(one.code, 0, "it works all the same");
  assert.match(one.lines[0]!, new RegExp(`^ok {4}Kafka .*; no answer at ${dead}: ECONNREFUSED$`));
  await using other = await freshBroker();
  const two = await diagnose({
    ...stack.env,
    KAFKA_BROKERS: `${stack.topic.brokers},${other.address}`,
  });
  assert.equal(two.code, 1);
  assert.match(two.lines[0]!, new RegExp(`^FAIL {2}Kafka .*${other.address} is another cluster`));
});

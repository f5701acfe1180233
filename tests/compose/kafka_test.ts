import assert from "node:assert/strict";
import { join } from "node:path";
import { ConfigResourceTypes } from "../../lib/io/kafka/kafkajs/kafkajs.ts";
import { readCompose } from "../support/compose.ts";
import { eventually } from "../support/eventually.ts";
import { freePort } from "../support/free_port.ts";
import { run, signalProcess, spawnGuarded } from "../support/guarded_process.ts";
import { javaCommand, openAdmin } from "../support/kafka.ts";
import { serverTest } from "../support/servers.ts";
import { temporaryDirectory } from "../support/temporary_directory.ts";

serverTest(
  "Kafka starts with the stack's settings, is healthy, has both listeners, and gets the topic once",
  ["java"],
  async () => {
    const { kafka, topics } = (await readCompose()).services;
    await using directory = await temporaryDirectory();
    const ports = new Map(["29092", "9092", "9093"].map((port) => [port, String(freePort())]));
    const moved = (text: string) =>
      text.replaceAll("//:", "//127.0.0.1:").replaceAll("kafka:", "127.0.0.1:")
        .replaceAll(/\b(29092|9092|9093)\b/g, (port) => ports.get(port)!);
    const env = Object.fromEntries(
      Object.entries(kafka!.environment!).map(([name, value]) => [name, moved(value)]),
    );

    // The image's own program makes the configuration of the environment, and formats the volume.
    const path = (name: string) => join(directory.path, name);
    for (const name of ["default", "mounted", "final"]) await Deno.mkdir(path(name));
    await Deno.writeTextFile(path("default/server.properties"), "discarded=true\n");
    const [java, ...setup] = await javaCommand("kafka.docker.KafkaDockerWrapper", "setup");
    await run(java!, [
      ...setup,
      ...["--default-configs-dir", path("default"), "--mounted-configs-dir", path("mounted")],
      ...["--final-configs-dir", path("final")],
    ], { env: { ...env, KAFKA_LOG_DIRS: path("data"), CLUSTER_ID: "AAAAAAAAAAAAAAAAAAAAAA" } });
    const pid = await spawnGuarded(
      await javaCommand("kafka.Kafka", path("final/server.properties")),
      { logFile: path("kafka.log") },
    );
    using _broker = { [Symbol.dispose]: () => signalProcess(pid, "SIGKILL") };

    const internal = `127.0.0.1:${ports.get("29092")}`;
    const external = `127.0.0.1:${ports.get("9092")}`;
    await eventually(async () => {
      await using admin = await openAdmin(internal);
      return await admin.describeCluster();
    });
    const [probe, ...target] = moved(kafka!.healthcheck!.test as string).split(" ");
    assert.equal(probe, "/opt/kafka/bin/kafka-broker-api-versions.sh");
    const checker = await javaCommand(
      "org.apache.kafka.tools.BrokerApiVersionsCommand",
      ...target,
    );
    await run(checker[0]!, checker.slice(1));

    const [script, ...args] = topics!.entrypoint!.map(moved);
    assert.equal(script, "/opt/kafka/bin/kafka-topics.sh");
    for (let time = 0; time < 2; time++) {
      const [java, ...command] = await javaCommand("org.apache.kafka.tools.TopicCommand", ...args);
      await run(java!, command);
    }

    await using admin = await openAdmin(external);
    const { topics: [topic] } = await admin.fetchTopicMetadata({ topics: ["user-events"] });
    assert.equal(topic!.partitions.length, 4);
    const name = "auto.create.topics.enable";
    const { resources: [settings] } = await admin.describeConfigs({
      includeSynonyms: false,
      resources: [{ type: ConfigResourceTypes.BROKER, name: "1", configNames: [name] }],
    });
    assert.equal(settings!.configEntries[0]!.configValue, "false", `${name}: typos make topics`);
    const { brokers: [broker] } = await admin.describeCluster();
    assert.deepEqual([broker!.host, String(broker!.port)], ["localhost", ports.get("9092")]);
  },
);

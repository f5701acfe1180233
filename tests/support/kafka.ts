/**
 * A real Kafka for tests: `TEST_KAFKA_BROKERS` if that is set, else a broker of our own.
 * @module
 */

import { Buffer } from "node:buffer";
import { join } from "node:path";
import type { KafkaConfig } from "../../lib/core/settings/config.ts";
import {
  type Admin,
  ConfigResourceTypes,
  Kafka,
  logLevel,
} from "../../lib/io/kafka/kafkajs/kafkajs.ts";
import { eventually } from "./eventually.ts";
import { freePort } from "./free_port.ts";
import { run, signalProcess, spawnGuarded } from "./guarded_process.ts";
import { sharedServer } from "./shared_server.ts";

/** Version of the brokers and programs of our own. */
export const KAFKA_VERSION = "4.3.1";

/** What Kafka's own programs need; Maven brings them the first time. */
export const javaPrograms: readonly string[] = [
  "java",
  "setsid",
  ...await hasJars() ? [] : ["mvn"],
];

/** What tests with a broker need. */
export const kafkaPrograms: readonly string[] = [
  "kcat",
  ...Deno.env.get("TEST_KAFKA_BROKERS") ? [] : javaPrograms,
];

/** Addresses of the run's broker. */
export async function kafkaBrokers(): Promise<string> {
  return Deno.env.get("TEST_KAFKA_BROKERS") ??
    await sharedServer("kafka", async (directory) => (await Broker.start(directory)).address);
}

export interface BrokerOptions {
  readonly settings?: Readonly<Record<string, string>>;
  readonly port?: number;
  /** Listeners besides the open one, as `SASL_SSL://127.0.0.1:9094`. */
  readonly listeners?: readonly string[];
  /** Passwords of users that log in by SCRAM. */
  readonly users?: Readonly<Record<string, string>>;
  /** Where it listens, as an address is written: an IPv6 one in brackets. */
  readonly host?: string;
  /** Its place among several; without it is a cluster by itself. */
  readonly node?: ClusterNode;
}

/** One broker's place in a cluster. */
export interface ClusterNode {
  readonly id: number;
  readonly clusterId: string;
  /** Addresses of all controllers, in the order of the ids, which begin with 1. */
  readonly controllers: readonly string[];
}

/** A broker with its data in `directory`, that can be killed and started again. */
export class Broker {
  readonly address: string;
  readonly #directory: string;
  readonly #javaFlags: readonly string[];
  #pid = 0;

  private constructor(directory: string, address: string, javaFlags: readonly string[]) {
    this.#directory = directory;
    this.address = address;
    this.#javaFlags = javaFlags;
  }

  /** Resolves when it answers. */
  static async start(
    directory: string,
    { host = "127.0.0.1", port = freePort(), ...options }: BrokerOptions = {},
  ): Promise<Broker> {
    const javaFlags = options.node ? ["-Xms64m", "-Xmx256m"] : []; // several need room beside each other
    const broker = new Broker(directory, `${host}:${port}`, javaFlags);
    await broker.#format(options);
    await broker.restart();
    return broker;
  }

  async restart(): Promise<void> {
    const properties = join(this.#directory, "server.properties");
    const [java, ...args] = await javaCommand("kafka.Kafka", properties);
    args.splice(args.indexOf("-cp"), 0, ...this.#javaFlags); // the last of its kind counts
    this.#pid = await spawnGuarded(
      [java!, ...args],
      { logFile: join(this.#directory, "kafka.log"), directory: this.#directory },
    );
    await eventually(() => this.#answers());
  }

  /** As `kill -9`: nothing is flushed, nobody is told. */
  kill(): void {
    signalProcess(this.#pid, "SIGKILL");
  }

  /** As a virtual machine that is stopped: connections stay open, nothing answers. */
  freeze(): void {
    Deno.kill(this.#pid, "SIGSTOP");
  }

  /** Goes on after `freeze`. */
  thaw(): void {
    Deno.kill(this.#pid, "SIGCONT");
  }

  /**
   * As a disk that forgets: changes a byte of the batch that has this offset of the first partition.
   * @returns the offsets from its first record up to its last, exclusive.
   */
  async damage({ name }: Pick<TestTopic, "name">, offset: number): Promise<[number, number]> {
    const path = join(this.#directory, "data", `${name}-0`, `${"0".repeat(20)}.log`);
    const bytes = Buffer.from(await Deno.readFile(path));
    for (let at = 0; at < bytes.length;) {
      const end = at + 12 + bytes.readInt32BE(at + 8);
      const from = Number(bytes.readBigInt64BE(at));
      const to = from + bytes.readInt32BE(at + 23) + 1;
      if (offset < to) {
        bytes[end - 1]! ^= 0xff;
        await Deno.writeFile(path, bytes); // the same file, which the broker has open
        return [from, to];
      }
      at = end;
    }
    throw new Error(`No batch of ${name} has offset ${offset}`);
  }

  async #format({ settings, listeners = [], users = {}, node }: BrokerOptions): Promise<void> {
    const open = [`PLAINTEXT://${this.address}`, ...listeners].join(",");
    const { id, clusterId, controllers } = node ??
      { id: 1, clusterId: newClusterId(), controllers: [`127.0.0.1:${freePort()}`] };
    const properties = {
      "process.roles": "broker,controller",
      "node.id": String(id),
      "controller.quorum.voters": controllers.map((at, index) => `${index + 1}@${at}`).join(","),
      "listeners": `${open},CONTROLLER://${controllers[id - 1]}`,
      "advertised.listeners": open,
      "controller.listener.names": "CONTROLLER",
      "log.dirs": join(this.#directory, "data"),
      "offsets.topic.replication.factor": "1",
      "offsets.topic.num.partitions": "1",
      "transaction.state.log.replication.factor": "1",
      "transaction.state.log.min.isr": "1",
      "transaction.state.log.num.partitions": "1",
      "group.initial.rebalance.delay.ms": "0",
      "auto.create.topics.enable": "false",
      "message.max.bytes": String(16 << 20),
      "log.cleaner.backoff.ms": "100",
      "log.retention.check.interval.ms": "500",
      ...settings,
    };
    const path = join(this.#directory, "server.properties");
    await Deno.writeTextFile(
      path,
      Object.entries(properties).map(([name, value]) => `${name}=${value}\n`).join(""),
    );
    const [java, ...args] = await javaCommand(
      "kafka.tools.StorageTool",
      "format",
      ...["-t", clusterId, "-c", path],
      ...Object.entries(users).flatMap(([name, password]) =>
        ["SCRAM-SHA-256", "SCRAM-SHA-512"].flatMap((mechanism) => [
          "--add-scram",
          `${mechanism}=[name=${name},password=${password}]`,
        ])
      ),
    );
    await run(java!, args);
  }

  async #answers(): Promise<true> {
    await using admin = await openAdmin(this.address);
    await admin.describeCluster();
    return true;
  }
}

/** A broker of one test, of which nothing has been asked yet; gone when it is disposed. */
export async function freshBroker(options: BrokerOptions = {}): Promise<AsyncDisposable & Broker> {
  const directory = await Deno.makeTempDir({ prefix: "lottery-events-broker-" });
  const broker = await Broker.start(directory, options);
  return Object.assign(broker, {
    [Symbol.asyncDispose]: async () => {
      broker.kill();
      await Deno.remove(directory, { recursive: true }).catch(() => {});
    },
  });
}

/** A random id as Kafka makes them; one that begins with a dash would be taken for an option. */
export function newClusterId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[0] = 0;
  return bytes.toBase64({ alphabet: "base64url", omitPadding: true });
}

/** Command line of one of Kafka's own programs. */
export async function javaCommand(mainClass: string, ...args: string[]): Promise<string[]> {
  const fast = ["-Xmx768m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto"];
  const logLevel = "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn";
  return ["java", ...fast, logLevel, "-cp", join(await jars(), "*"), mainClass, ...args];
}

function jarDirectory(): string {
  const cache = Deno.env.get("XDG_CACHE_HOME") ?? join(Deno.env.get("HOME") ?? "/tmp", ".cache");
  return join(cache, "lottery-events-pipeline", `kafka-${KAFKA_VERSION}`);
}

async function hasJars(): Promise<boolean> {
  return await Deno.stat(jarDirectory()).then(() => true, () => false);
}

/** Directory with Kafka's programs; Maven brings them the first time. */
async function jars(): Promise<string> {
  const directory = jarDirectory();
  if (await hasJars()) return directory;
  const temporary = `${directory}.${Deno.pid}`;
  await Deno.mkdir(temporary, { recursive: true });
  const dependency = (group: string, artifact: string, version: string) =>
    `<dependency><groupId>${group}</groupId><artifactId>${artifact}</artifactId><version>${version}</version></dependency>`;
  await Deno.writeTextFile(
    join(temporary, "pom.xml"),
    `<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
    <groupId>test</groupId><artifactId>kafka</artifactId><version>1</version><dependencies>
    ${dependency("org.apache.kafka", "kafka_2.13", KAFKA_VERSION)}
    ${dependency("org.apache.kafka", "kafka-tools", KAFKA_VERSION)}
    ${dependency("org.slf4j", "slf4j-simple", "1.7.36")}
    </dependencies></project>`,
  );
  await run("mvn", [
    ...["--batch-mode", "--quiet", "--file", join(temporary, "pom.xml")],
    ...["dependency:copy-dependencies", `-DoutputDirectory=${temporary}`],
  ]);
  await Deno.rename(temporary, directory).catch(() => {}); // another run may have been faster
  return directory;
}

/** How long a busy broker may take for an answer; less than kafkajs waits for one. */
const BUSY_MS = 25_000;

/** An admin client that is disconnected when it is disposed. */
export async function openAdmin(brokers: string): Promise<Admin & AsyncDisposable> {
  const admin = await connectAdmin(brokers);
  const create = admin.createTopics;
  const createTopics: typeof create = async (request) => {
    const isNew = await create({ timeout: BUSY_MS, ...request, waitForLeaders: false });
    await eventually(() => haveLeaders(brokers, request.topics.map(({ topic }) => topic)));
    return isNew;
  };
  return Object.assign(admin, { createTopics, [Symbol.asyncDispose]: () => admin.disconnect() });
}

async function connectAdmin(brokers: string): Promise<Admin> {
  const kafka = new Kafka({
    brokers: brokers.split(","),
    connectionTimeout: BUSY_MS,
    logLevel: logLevel.NOTHING,
  });
  const admin = kafka.admin({ retry: { retries: 1 } });
  await admin.connect();
  return admin;
}

/**
 * True if the broker knows the topics, and who leads each partition. kafkajs's own wait gives up
 * when the broker has not heard of a topic yet. By a client of its own, which may not know them later.
 */
async function haveLeaders(brokers: string, topics: string[]): Promise<boolean> {
  const admin = await connectAdmin(brokers);
  try {
    const { topics: all } = await admin.fetchTopicMetadata({ topics });
    return all.every(({ partitions }) =>
      partitions.length > 0 && partitions.every(({ leader }) => leader >= 0)
    );
  } finally {
    await admin.disconnect();
  }
}

/** Makes Kafka delete the topic's old records, or those of which there is a newer one with the same key. */
export async function setCleanupPolicy(
  { brokers, name }: Pick<TestTopic, "brokers" | "name">,
  value: "delete" | "compact",
): Promise<void> {
  await using admin = await openAdmin(brokers);
  await admin.alterConfigs({
    validateOnly: false,
    resources: [{
      type: ConfigResourceTypes.TOPIC,
      name,
      configEntries: [{ name: "cleanup.policy", value }],
    }],
  });
}

export interface TopicOptions {
  readonly partitions?: number;
  /** Ids of the brokers that have each partition, its leader first; by default any. */
  readonly replicas?: readonly (readonly number[])[];
  readonly config?: Readonly<Record<string, string>>;
}

/** A topic of one test, with a consumer group of its own; deleted when it is disposed. */
export interface TestTopic extends AsyncDisposable {
  readonly config: KafkaConfig;
  readonly brokers: string;
  readonly name: string;
}

export async function createTopic(
  { partitions = 4, replicas, config = {} }: TopicOptions = {},
  brokers?: string,
): Promise<TestTopic> {
  const address = brokers ?? await kafkaBrokers();
  const name = `test-${crypto.randomUUID()}`;
  await using admin = await eventually(() => openAdmin(address));
  await admin.createTopics({
    topics: [{
      topic: name,
      ...replicas
        ? { replicaAssignment: replicas.map((ids, id) => ({ partition: id, replicas: [...ids] })) }
        : { numPartitions: partitions },
      configEntries: Object.entries(config).map(([name, value]) => ({ name, value })),
    }],
  });
  return {
    name,
    brokers: address,
    config: {
      brokers: address.split(","),
      topic: name,
      groupId: `group-${name}`,
      ssl: undefined,
      sasl: undefined,
    },
    [Symbol.asyncDispose]: async () => {
      await using admin = await eventually(() => openAdmin(address));
      await admin.deleteTopics({ topics: [name], timeout: BUSY_MS });
    },
  };
}

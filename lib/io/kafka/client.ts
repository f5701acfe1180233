/**
 * A connection to Kafka: settings to a kafkajs client, its log lines to ours,
 * and what is asked of a cluster apart from reading it.
 * @module
 */

import { getLogger } from "@logtape/logtape";
import type { ConnectionOptions } from "node:tls";
import { backoffMs } from "../../async/backoff.ts";
import { delay, withTimeout } from "../../async/delay.ts";
import { describe, isPassing, OperatorError, UnavailableError } from "../../core/failure.ts";
import type { LogRange, LogView } from "../../core/offsets/log_range.ts";
import type { KafkaConfig } from "../../core/settings/config.ts";
import { readKeyPair, readPem } from "../pem.ts";
import { explain } from "./errors.ts";
import {
  type Admin,
  ConfigResourceTypes,
  Kafka,
  type LogEntry,
  logLevel,
  type SASLOptions,
} from "./kafkajs/kafkajs.ts";
import { createSocket } from "./kafkajs/socket.ts";
import { isAway, isOfOneBroker, isOfPartition, isOfTopic } from "./one_broker.ts";
import { createRawCluster, type RawCluster } from "./raw_cluster.ts";
import { PartitionsAwayError, viewLog } from "./topic_log.ts";

/** Few and short: whoever calls tries again for as long as it takes. */
export const RETRY = { retries: 2, initialRetryTime: 100, maxRetryTime: 1_000 };

/** A connection that hangs must not hold up who closes it. */
const CLOSE_TIMEOUT_MS = 1_000;

/**
 * How long a cluster may take to do without a broker that is gone (9 s, as brokers come), or to be
 * complete after its start. Where no broker answers at all, nothing is waited for.
 */
const MAX_WAIT_MS = 20_000;
const PATIENCE_BACKOFF = { firstMs: 200, maxMs: 1_000 };

/**
 * A client that connects when it is used.
 * @param clientId what the brokers call it, in their logs and as a member of a group.
 * @throws {OperatorError} if a file that the settings name cannot be read.
 */
export async function createKafka(
  { brokers, ssl, sasl }: KafkaConfig,
  clientId = "lottery-events-pipeline",
): Promise<Kafka> {
  return new Kafka({
    clientId,
    brokers: [...brokers],
    connectionTimeout: 5_000,
    requestTimeout: 30_000,
    retry: RETRY,
    logLevel: logLevel.DEBUG,
    logCreator: () => log,
    socketFactory: createSocket,
    ...(ssl && { ssl: await tlsOptions(ssl) }),
    ...(sasl && { sasl: sasl as SASLOptions }),
  });
}

async function tlsOptions(
  { caFile, certFile, keyFile }: NonNullable<KafkaConfig["ssl"]>,
): Promise<ConnectionOptions> {
  return {
    ...caFile && { ca: await readPem({ name: "KAFKA_SSL_CA_FILE", path: caFile }) },
    ...certFile && keyFile && await readKeyPair(
      { name: "KAFKA_SSL_CERT_FILE", path: certFile },
      { name: "KAFKA_SSL_KEY_FILE", path: keyFile },
    ),
  };
}

/** kafkajs's own lines are of use to whoever looks for a fault in it; what matters is logged by us. */
function log({ namespace, log: { message, timestamp: _, logger: __, ...extra } }: LogEntry): void {
  getLogger(["lottery", "kafkajs"]).debug("{namespace}: {text}", {
    namespace,
    text: message,
    ...extra,
  });
}

/** What a cluster is asked with; connects when it is used. */
interface Asking {
  readonly admin: Admin;
  readonly cluster: RawCluster;
}

/** Somebody may be about to create it, so it can be waited for. */
export class TopicMissingError extends UnavailableError {
  constructor(config: KafkaConfig, setting: TopicSetting) {
    super(
      `The topic ${config.topic} does not exist. Create it, or set ${setting} to another. ` +
        `To create it: ${creationOf(config, setting)}`,
    );
  }
}

/** What names a topic. */
type TopicSetting = "KAFKA_TOPIC" | "KAFKA_OUTPUT_TOPIC";

/** A command to paste. The output topic keeps the last count of each key. */
function creationOf({ brokers, topic, ssl, sasl }: KafkaConfig, setting: TopicSetting): string {
  return [
    `kafka-topics.sh --bootstrap-server ${brokers.join(",")}`,
    ...ssl || sasl ? ["--command-config client.properties"] : [],
    `--create --topic ${topic} --partitions 4`,
    ...setting === "KAFKA_OUTPUT_TOPIC" ? ["--config cleanup.policy=compact"] : [],
  ].join(" ");
}

/**
 * Questions to a cluster about itself and one topic. Opens its connection with the
 * first, and makes sure that it is still the same cluster.
 */
export class KafkaCluster implements AsyncDisposable {
  readonly #kafka: Kafka;
  readonly #config: KafkaConfig;
  #asking: Asking | null = null;
  #id: string | null = null;
  readonly #seenEnds = new Map<number, number>();
  #hasAnswered = false;

  constructor(kafka: Kafka, config: KafkaConfig) {
    this.#kafka = kafka;
    this.#config = config;
  }

  async id(): Promise<string> {
    const { clusterId } = await this.#ask(({ admin }) => admin.describeCluster());
    this.#assertSameCluster(clusterId);
    return clusterId;
  }

  /** True if the topic is compacted: then its batches may be rewritten. */
  async isCompacted(): Promise<boolean> {
    const policies = await this.#ask(({ admin }) => cleanupPolicies(admin, this.#config.topic));
    return policies.some((policy) => policy.includes("compact"));
  }

  /** @throws {OperatorError} if we may not use the consumer group. Does not join it. */
  async assertGroup(): Promise<void> {
    await this.#ask(({ admin }) => admin.describeGroups([this.#config.groupId]));
  }

  /** @throws {TopicMissingError} if the topic does not exist, naming the setting that it is from. */
  async assertTopic(setting: TopicSetting = "KAFKA_TOPIC"): Promise<void> {
    const { topic } = this.#config;
    const topics = await this.#ask(({ admin }) => admin.listTopics());
    if (topics.includes(topic)) return;
    // Topics that we may not see are left out of the list; this says which of the two it is.
    await this.#ask(({ admin }) => cleanupPolicies(admin, topic)).catch((error) => {
      if (!isPassing(error)) throw error;
    });
    throw new TopicMissingError(this.#config, setting);
  }

  /**
   * Offsets `[first, last stable)` of the given partitions, or of all.
   * @throws {UnavailableError} if one of them cannot be read.
   */
  async logRanges(partitions?: readonly number[]): Promise<ReadonlyMap<number, LogRange>> {
    return await this.#ask(async (asking) => {
      const { ranges, unavailable } = await this.#viewLog(asking, partitions);
      if (unavailable.size > 0) throw new PartitionsAwayError(this.#config.topic, unavailable);
      return ranges;
    });
  }

  /** The same of those that can be read, and why the others cannot. */
  async viewLog(partitions?: readonly number[]): Promise<LogView> {
    return await this.#ask((asking) => this.#viewLog(asking, partitions));
  }

  /** Remembers that the log of a partition reached this end. */
  saw(partition: number, endOffset: number): void {
    this.#seenEnds.set(partition, Math.max(endOffset, this.#seenEnds.get(partition) ?? 0));
  }

  /** Offset of each partition's first record that is not older than `timeMs`, from 0 on; its end if there is none. */
  async offsetsAt(timeMs: number): Promise<ReadonlyMap<number, number>> {
    const offsets = await this.#ask(({ admin }) =>
      admin.fetchTopicOffsetsByTimestamp(this.#config.topic, timeMs)
    );
    return new Map(offsets.map(({ partition, offset }) => [partition, Number(offset)]));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#close();
  }

  async #viewLog({ cluster }: Asking, partitions: readonly number[] | undefined): Promise<LogView> {
    const seenEnds = this.#seenEnds;
    const { topic } = this.#config;
    const reasonOf = (error: unknown) => describe(explain(error, this.#config));
    const view = await viewLog(cluster, { topic, partitions, seenEnds, reasonOf });
    this.#assertSameCluster(cluster.brokerPool.metadata.clusterId);
    for (const [partition, { endOffset }] of view.ranges) this.saw(partition, endOffset);
    return view;
  }

  /** A failed question leaves a connection that may be half open: the next one opens another. */
  async #ask<T>(question: (asking: Asking) => Promise<T>): Promise<T> {
    const deadline = performance.now() + MAX_WAIT_MS;
    for (let attempt = 0;; attempt++) {
      this.#asking ??= { admin: this.#kafka.admin(), cluster: createRawCluster(this.#kafka) };
      try {
        const answer = await question(this.#asking);
        this.#hasAnswered = true;
        return answer;
      } catch (error) {
        await this.#close();
        if (!this.#passesSoon(error) || performance.now() > deadline) {
          throw explain(error, this.#config);
        }
      }
      await delay(backoffMs(attempt, { ...PATIENCE_BACKOFF, random: Math.random() }));
    }
  }

  /** True for what a cluster gets over in seconds. One whose brokers could never be reached does not. */
  #passesSoon(error: unknown): boolean {
    if (isAway(error) || isOfTopic(error)) return false;
    if (isOfOneBroker(error)) return this.#hasAnswered;
    return isOfPartition(error) || error instanceof PartitionsAwayError;
  }

  /** kafkajs connects anew by itself, to whoever answers then. */
  #assertSameCluster(clusterId: string): void {
    this.#id ??= clusterId;
    if (clusterId === this.#id) return;
    throw new OperatorError(
      `Cannot go on: another Kafka cluster (${clusterId}) answers where ${this.#id} did. ` +
        "Nothing of it is counted. Set KAFKA_BROKERS to the cluster that was counted, or DATABASE_URL to another database.",
    );
  }

  async #close(): Promise<void> {
    const asking = this.#asking;
    this.#asking = null;
    if (!asking) return;
    const closing = Promise.all([asking.admin.disconnect(), asking.cluster.disconnect()]);
    await withTimeout(CLOSE_TIMEOUT_MS, closing);
  }
}

async function cleanupPolicies(admin: Admin, topic: string): Promise<string[]> {
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: [{
      type: ConfigResourceTypes.TOPIC,
      name: topic,
      configNames: ["cleanup.policy"],
    }],
  });
  return resources.flatMap(({ configEntries }) =>
    configEntries.map(({ configValue }) => configValue)
  );
}

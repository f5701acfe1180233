/**
 * Requests to a cluster about itself and one topic, apart from reading it.
 * @module
 */

import { backOff } from "../../async/backoff.ts";
import { withTimeout } from "../../async/delay.ts";
import { describe, isPassing, OperatorError, UnavailableError } from "../../core/failure.ts";
import type { LogRange, LogView } from "../../core/offsets/log_range.ts";
import type { KafkaConfig } from "../../core/settings/config.ts";
import { isBrokerError, isClusterDown, isPartitionError, isUnknownTopic } from "./broker_errors.ts";
import { CLOSE_TIMEOUT_MS } from "./client.ts";
import { explain } from "./errors.ts";
import { createInternalCluster, type InternalCluster } from "./kafkajs/internal_cluster.ts";
import { type Admin, ConfigResourceTypes, type Kafka } from "./kafkajs/kafkajs.ts";
import { PartitionsAwayError, viewLog } from "./log_ranges.ts";

/**
 * How long a cluster may take to route around a lost broker (9 s by default), or to be complete
 * after its start. Not waited for where no broker answers at all.
 */
const MAX_WAIT_MS = 20_000;
const BACKOFF = { firstMs: 200, maxMs: 1_000 };

interface Connections {
  readonly admin: Admin;
  readonly cluster: InternalCluster;
}

/** Passes by itself, because someone may be about to create the topic. */
export class TopicMissingError extends UnavailableError {
  constructor(config: KafkaConfig, setting: TopicSetting) {
    super(
      `The topic ${config.topic} does not exist. Create it, or set ${setting} to another. ` +
        `To create it: ${creationCommand(config, setting)}`,
    );
  }
}

type TopicSetting = "KAFKA_TOPIC" | "KAFKA_OUTPUT_TOPIC";

/** A command to paste. The output topic keeps the last count of each key. */
function creationCommand(
  { brokers, topic, ssl, sasl }: KafkaConfig,
  setting: TopicSetting,
): string {
  return [
    `kafka-topics.sh --bootstrap-server ${brokers.join(",")}`,
    ...ssl || sasl ? ["--command-config client.properties"] : [],
    `--create --topic ${topic} --partitions 4`,
    ...setting === "KAFKA_OUTPUT_TOPIC" ? ["--config cleanup.policy=compact"] : [],
  ].join(" ");
}

/**
 * One cluster, and one topic of it. Connects with the first request, and makes sure that it
 * remains the same cluster.
 */
export class KafkaCluster implements AsyncDisposable {
  readonly #kafka: Kafka;
  readonly #config: KafkaConfig;
  #connections: Connections | null = null;
  #id: string | null = null;
  readonly #seenEnds = new Map<number, number>();
  #hasAnswered = false;

  constructor(kafka: Kafka, config: KafkaConfig) {
    this.#kafka = kafka;
    this.#config = config;
  }

  async id(): Promise<string> {
    const { clusterId } = await this.#request(({ admin }) => admin.describeCluster());
    this.#assertSameCluster(clusterId);
    return clusterId;
  }

  /** True if the topic is compacted: then its batches may be rewritten. */
  async isCompacted(): Promise<boolean> {
    const policies = await this.#request(({ admin }) => cleanupPolicies(admin, this.#config.topic));
    return policies.some((policy) => policy.includes("compact"));
  }

  /** @throws {OperatorError} if we may not use the consumer group. Does not join it. */
  async assertGroup(): Promise<void> {
    await this.#request(({ admin }) => admin.describeGroups([this.#config.groupId]));
  }

  /** @throws {TopicMissingError} if the topic does not exist, naming the setting that it is from. */
  async assertTopic(setting: TopicSetting = "KAFKA_TOPIC"): Promise<void> {
    const { topic } = this.#config;
    const topics = await this.#request(({ admin }) => admin.listTopics());
    if (topics.includes(topic)) return;
    // The list leaves out topics that we may not see; this tells the two cases apart.
    await this.#request(({ admin }) => cleanupPolicies(admin, topic)).catch((error) => {
      if (!isPassing(error)) throw error;
    });
    throw new TopicMissingError(this.#config, setting);
  }

  /**
   * Offsets `[first, last stable)` of the given partitions, or of all.
   * @throws {UnavailableError} if one of them cannot be read.
   */
  async logRanges(partitions?: readonly number[]): Promise<ReadonlyMap<number, LogRange>> {
    return await this.#request(async (connections) => {
      const { ranges, unavailable } = await this.#viewLog(connections, partitions);
      if (unavailable.size > 0) throw new PartitionsAwayError(this.#config.topic, unavailable);
      return ranges;
    });
  }

  /** The ranges of the partitions that can be read, and why the others cannot. */
  async viewLog(partitions?: readonly number[]): Promise<LogView> {
    return await this.#request((connections) => this.#viewLog(connections, partitions));
  }

  /** Remembers that the log of a partition reached this end. */
  saw(partition: number, endOffset: number): void {
    this.#seenEnds.set(partition, Math.max(endOffset, this.#seenEnds.get(partition) ?? 0));
  }

  /** Offset of each partition's first record at or after `timeMs`; its end without one. */
  async offsetsAt(timeMs: number): Promise<ReadonlyMap<number, number>> {
    const offsets = await this.#request(({ admin }) =>
      admin.fetchTopicOffsetsByTimestamp(this.#config.topic, timeMs)
    );
    return new Map(offsets.map(({ partition, offset }) => [partition, Number(offset)]));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#close();
  }

  async #viewLog(
    { cluster }: Connections,
    partitions: readonly number[] | undefined,
  ): Promise<LogView> {
    const seenEnds = this.#seenEnds;
    const { topic } = this.#config;
    const reasonOf = (error: unknown) => describe(explain(error, this.#config));
    const view = await viewLog(cluster, { topic, partitions, seenEnds, reasonOf });
    this.#assertSameCluster(cluster.brokerPool.metadata.clusterId);
    for (const [partition, { endOffset }] of view.ranges) this.saw(partition, endOffset);
    return view;
  }

  /** A failed request may leave a half-open connection: the next one opens another. */
  async #request<T>(send: (connections: Connections) => Promise<T>): Promise<T> {
    const deadline = performance.now() + MAX_WAIT_MS;
    for (let attempt = 0;; attempt++) {
      this.#connections ??= {
        admin: this.#kafka.admin(),
        cluster: createInternalCluster(this.#kafka),
      };
      try {
        const answer = await send(this.#connections);
        this.#hasAnswered = true;
        return answer;
      } catch (error) {
        await this.#close();
        if (!this.#passesSoon(error) || performance.now() > deadline) {
          throw explain(error, this.#config);
        }
      }
      await backOff(attempt, BACKOFF);
    }
  }

  /** True if a cluster recovers from it within seconds. One that never answered does not. */
  #passesSoon(error: unknown): boolean {
    if (isClusterDown(error) || isUnknownTopic(error)) return false;
    if (isBrokerError(error)) return this.#hasAnswered;
    return isPartitionError(error) || error instanceof PartitionsAwayError;
  }

  /** kafkajs reconnects by itself, to any broker that answers. */
  #assertSameCluster(clusterId: string): void {
    this.#id ??= clusterId;
    if (clusterId === this.#id) return;
    throw new OperatorError(
      `Cannot continue: another Kafka cluster (${clusterId}) answers in place of ${this.#id}. ` +
        "Nothing was counted from it. Set KAFKA_BROKERS to the cluster that was counted, or DATABASE_URL to another database.",
    );
  }

  async #close(): Promise<void> {
    const connections = this.#connections;
    this.#connections = null;
    if (!connections) return;
    const { admin, cluster } = connections;
    await withTimeout(CLOSE_TIMEOUT_MS, Promise.all([admin.disconnect(), cluster.disconnect()]));
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

/**
 * A connection to Kafka: settings to a kafkajs client, its log lines to ours,
 * and what is asked of a cluster apart from reading it.
 * @module
 */

import type { ConnectionOptions } from "node:tls";
import { getLogger } from "@logtape/logtape";
import type { KafkaConfig } from "../../core/config.ts";
import { isPassing, OperatorError, UnavailableError } from "../../core/failure.ts";
import { atMost } from "../../condition.ts";
import type { LogRange } from "../../core/log_range.ts";
import { readKeyPair, readPem } from "../pem.ts";
import { explain } from "./errors.ts";
import {
  type Admin,
  ConfigResourceTypes,
  Kafka,
  type LogEntry,
  logLevel,
  type SASLOptions,
} from "./kafkajs.ts";
import { createSocket } from "./socket.ts";

/** Few and short: whoever calls tries again for as long as it takes. */
export const RETRY = { retries: 2, initialRetryTime: 100, maxRetryTime: 1_000 };

/** A connection that hangs must not hold up who closes it. */
const CLOSE_TIMEOUT_MS = 1_000;

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

/** Somebody may be about to create it, so it can be waited for. */
export class TopicMissingError extends UnavailableError {
  constructor(topic: string, setting: string) {
    super(`The topic ${topic} does not exist. Create it, or set ${setting} to another`);
  }
}

/**
 * Questions to a cluster about itself and one topic. Opens its connection with the
 * first, and makes sure that it is still the same cluster.
 */
export class KafkaCluster implements AsyncDisposable {
  readonly #kafka: Kafka;
  readonly #config: KafkaConfig;
  #admin: Promise<Admin> | null = null;
  #id: string | null = null;

  constructor(kafka: Kafka, config: KafkaConfig) {
    this.#kafka = kafka;
    this.#config = config;
  }

  async id(): Promise<string> {
    await this.#ask((admin) => this.#assertSameCluster(admin));
    return this.#id!;
  }

  /** True if the topic is compacted: then its batches may be rewritten. */
  async isCompacted(): Promise<boolean> {
    const policies = await this.#ask((admin) => cleanupPolicies(admin, this.#config.topic));
    return policies.some((policy) => policy.includes("compact"));
  }

  /** @throws {OperatorError} if we may not use the consumer group. Does not join it. */
  async assertGroup(): Promise<void> {
    await this.#ask((admin) => admin.describeGroups([this.#config.groupId]));
  }

  /** @throws {TopicMissingError} if the topic does not exist, naming the setting that it is from. */
  async assertTopic(setting = "KAFKA_TOPIC"): Promise<void> {
    const { topic } = this.#config;
    const topics = await this.#ask((admin) => admin.listTopics());
    if (topics.includes(topic)) return;
    // Topics that we may not see are left out of the list; this says which of the two it is.
    await this.#ask((admin) => cleanupPolicies(admin, topic)).catch((error) => {
      if (!isPassing(error)) throw error;
    });
    throw new TopicMissingError(topic, setting);
  }

  /** Offsets `[first, last stable)` of the given partitions, or of all. */
  async logRanges(partitions?: readonly number[]): Promise<ReadonlyMap<number, LogRange>> {
    const ranges = await this.#logRanges();
    if (!partitions) return ranges;
    const isKnown = partitions.every((partition) => ranges.has(partition));
    // kafkajs keeps what it knows of a topic for minutes: ask anew about a partition that was added.
    if (!isKnown) await this.#close();
    const fresh = isKnown ? ranges : await this.#logRanges();
    return new Map(partitions.flatMap((partition) => {
      const range = fresh.get(partition);
      return range ? [[partition, range]] : [];
    }));
  }

  /** Offset of each partition's first record that is not older than `timeMs`; its end if there is none. */
  async offsetsAt(timeMs: number): Promise<ReadonlyMap<number, number>> {
    const offsets = await this.#ask((admin) =>
      admin.fetchTopicOffsetsByTimestamp(this.#config.topic, timeMs)
    );
    return new Map(offsets.map(({ partition, offset }) => [partition, Number(offset)]));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#close();
  }

  async #logRanges(): Promise<Map<number, LogRange>> {
    const offsets = await this.#ask(async (admin) => {
      await this.#assertSameCluster(admin);
      return await admin.fetchTopicOffsets(this.#config.topic);
    });
    return new Map(offsets.map(({ partition, low, high }) => [
      partition,
      { startOffset: Number(low), endOffset: Number(high) },
    ]));
  }

  /** A failed question leaves a connection that may be half open: the next one opens another. */
  async #ask<T>(question: (admin: Admin) => Promise<T>): Promise<T> {
    this.#admin ??= this.#open();
    try {
      return await question(await this.#admin);
    } catch (error) {
      await this.#close();
      throw explain(error, this.#config);
    }
  }

  async #open(): Promise<Admin> {
    const admin = this.#kafka.admin();
    await admin.connect();
    return admin;
  }

  /** kafkajs connects anew by itself, to whoever answers then. */
  async #assertSameCluster(admin: Admin): Promise<void> {
    const { clusterId } = await admin.describeCluster();
    this.#id ??= clusterId;
    if (clusterId === this.#id) return;
    throw new OperatorError(
      `Cannot go on: another Kafka cluster (${clusterId}) answers where ${this.#id} did. ` +
        "Nothing of it is counted. Set KAFKA_BROKERS to the cluster that was counted, or DATABASE_URL to another database.",
    );
  }

  async #close(): Promise<void> {
    const admin = this.#admin;
    this.#admin = null;
    const opened = await admin?.catch(() => null);
    if (opened) await atMost(CLOSE_TIMEOUT_MS, opened.disconnect());
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

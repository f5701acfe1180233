/**
 * Reads a topic's log without a consumer group, from any offset to any other: for
 * who looks at the log while workers read it.
 * @module
 */

import { backoffMs } from "../../core/backoff.ts";
import type { KafkaConfig } from "../../core/config.ts";
import { causes, isPassing } from "../../core/failure.ts";
import type { RecordBatch } from "../../core/record_batch.ts";
import { atMost, pause } from "../../condition.ts";
import { explain } from "./errors.ts";
import { type AbortedTransaction, type BatchMessage, dropAborted } from "./fetch_decoder.ts";
import type { Kafka } from "./kafkajs.ts";

/** Kafka has deleted what was about to be read. */
export class LogStartMovedError extends Error {
  override readonly name = "LogStartMovedError";
  /** Where it was to be read from. */
  readonly offset: number;

  constructor(partition: number, offset: number) {
    super(`Kafka does not hold offset ${offset} of partition ${partition} any more`);
    this.offset = offset;
  }
}

/** Part of one partition's log. */
export interface LogPart {
  readonly partition: number;
  /** Offsets `[from, to)`; `to` must not be beyond what may be read. */
  readonly from: number;
  readonly to: number;
}

const MAX_BYTES = 8 << 20;
const MAX_WAIT_MS = 500;
/** How often a fetch is tried that fails, or that brings nothing although there is something. */
const MAX_TRIES = 5;
const BACKOFF = { firstMs: 100, maxMs: 2_000 };
const CLOSE_TIMEOUT_MS = 1_000;

export class LogReader implements AsyncDisposable {
  readonly #cluster: Cluster;
  readonly #config: KafkaConfig;

  private constructor(cluster: Cluster, config: KafkaConfig) {
    this.#cluster = cluster;
    this.#config = config;
  }

  /** Resolves when it is connected. */
  static async open(kafka: Kafka, config: KafkaConfig): Promise<LogReader> {
    const cluster = createCluster(kafka);
    try {
      await cluster.connect();
      await cluster.addTargetTopic(config.topic);
    } catch (error) {
      throw explain(error, config);
    }
    return new LogReader(cluster, config);
  }

  /**
   * The record batches of a part, in their order and without aborted transactions. The
   * first and the last may reach beyond it.
   * @throws {LogStartMovedError} if Kafka deletes records before they are read.
   * @throws {UnavailableError} if Kafka does not bring all of it.
   */
  async *read({ partition, from, to }: LogPart): AsyncGenerator<readonly RecordBatch[]> {
    let position = from;
    let tries = 0;
    while (position < to) {
      const batches = await this.#fetch(partition, position, tries++);
      const last = batches.at(-1);
      if (!last) continue;
      yield batches;
      position = last.nextOffset;
      tries = 0;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await atMost(CLOSE_TIMEOUT_MS, this.#cluster.disconnect());
  }

  /** What follows `offset`, or nothing if it is worth another try. */
  async #fetch(partition: number, offset: number, tries: number): Promise<RecordBatch[]> {
    try {
      if (tries > 0) {
        await pause(backoffMs(tries, { ...BACKOFF, random: Math.random() }));
        await this.#cluster.refreshMetadata();
      }
      const batches = await this.#fetchOnce(partition, offset);
      if (batches.length === 0 && tries >= MAX_TRIES) {
        throw new Error(`partition ${partition} brings nothing after offset ${offset}`);
      }
      return batches;
    } catch (error) {
      const isOutOfRange = causes(error).some((link) =>
        "type" in link && link.type === "OFFSET_OUT_OF_RANGE"
      );
      if (isOutOfRange) throw new LogStartMovedError(partition, offset);
      const explained = explain(error, this.#config);
      if (!isPassing(explained) || tries >= MAX_TRIES) throw explained;
      return [];
    }
  }

  async #fetchOnce(partition: number, offset: number): Promise<RecordBatch[]> {
    const { topic } = this.#config;
    const [leader] = Object.keys(this.#cluster.findLeaderForPartitions(topic, [partition]));
    if (leader === undefined) throw new Error(`partition ${partition} has no leader`);
    const broker = await this.#cluster.findBroker({ nodeId: leader });
    const { responses } = await broker.fetch({
      maxWaitTime: MAX_WAIT_MS,
      minBytes: 1,
      maxBytes: MAX_BYTES,
      isolationLevel: READ_COMMITTED,
      topics: [{
        topic,
        partitions: [{ partition, fetchOffset: String(offset), maxBytes: MAX_BYTES }],
      }],
    });
    return responses
      .flatMap(({ partitions }) => partitions)
      .flatMap((answer) => dropAborted(answer))
      .map(({ batch }) => batch)
      .filter(({ nextOffset }) => nextOffset > offset);
  }
}

const READ_COMMITTED = 1;

/** The part of kafkajs below its consumer: brokers, and who leads which partition. */
interface Cluster {
  connect(): Promise<void>;
  disconnect(): Promise<void>;
  addTargetTopic(topic: string): Promise<void>;
  refreshMetadata(): Promise<void>;
  findLeaderForPartitions(topic: string, partitions: readonly number[]): Record<string, number[]>;
  findBroker(of: { readonly nodeId: string }): Promise<FetchingBroker>;
}

interface FetchingBroker {
  fetch(request: unknown): Promise<{
    readonly responses: readonly {
      readonly partitions: readonly {
        readonly messages: readonly BatchMessage[];
        readonly abortedTransactions?: readonly AbortedTransaction[] | null;
      }[];
    }[];
  }>;
}

/** kafkajs reads only as a member of a group; what its consumer itself reads with is kept under a symbol. */
function createCluster(kafka: Kafka): Cluster {
  const symbol = Object.getOwnPropertySymbols(kafka)
    .find(({ description }) => description === "private:Kafka:createCluster");
  const create = symbol && (kafka as unknown as Record<symbol, unknown>)[symbol];
  if (typeof create !== "function") throw new Error("Cannot find how kafkajs opens a cluster");
  return create({
    metadataMaxAge: 60_000,
    allowAutoTopicCreation: false,
    isolationLevel: READ_COMMITTED,
  });
}

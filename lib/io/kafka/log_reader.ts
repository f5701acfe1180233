/**
 * Reads a topic's log from any offset to any other, without a consumer group and so without
 * disturbing the workers.
 * @module
 */

import { backOff } from "../../async/backoff.ts";
import { withTimeout } from "../../async/delay.ts";
import { LogStartMovedError } from "../../core/audit/audited_log.ts";
import { causes, isPassing } from "../../core/failure.ts";
import type { LogPart } from "../../core/offsets/log_range.ts";
import type { LogBatch } from "../../core/records/log_batch.ts";
import type { KafkaConfig } from "../../core/settings/config.ts";
import { typeOf } from "./broker_errors.ts";
import { CLOSE_TIMEOUT_MS } from "./client.ts";
import { explain, rethrow } from "./errors.ts";
import { dropAborted } from "./kafkajs/fetch_decoder.ts";
import {
  type FetchAnswer,
  type InternalCluster,
  openInternalCluster,
  READ_COMMITTED,
} from "./kafkajs/internal_cluster.ts";
import type { Kafka } from "./kafkajs/kafkajs.ts";
import { noLeader, PartitionsAwayError } from "./log_ranges.ts";

const MAX_BYTES = 8 << 20;
const MAX_WAIT_MS = 500;
/** Attempts of a fetch that returns nothing although the log has more. */
const MAX_EMPTY_TRIES = 5;
/** Attempts of a failing fetch: they take longer than a leader takes to move. */
const MAX_TRIES = 12;
const BACKOFF = { firstMs: 100, maxMs: 2_000 };

export class LogReader implements AsyncDisposable {
  readonly #cluster: InternalCluster;
  readonly #config: KafkaConfig;

  private constructor(cluster: InternalCluster, config: KafkaConfig) {
    this.#cluster = cluster;
    this.#config = config;
  }

  static async open(kafka: Kafka, config: KafkaConfig): Promise<LogReader> {
    const cluster = await openInternalCluster(kafka, config.topic).catch(rethrow(config));
    return new LogReader(cluster, config);
  }

  /**
   * The record batches of a part, in order and without aborted transactions. The first and the
   * last may extend beyond it. The next ones are fetched while the caller has the last ones.
   * @throws {LogStartMovedError} if Kafka deletes records before they are read.
   * @throws {UnavailableError} if Kafka does not return all of it.
   */
  async *read({ partition, from, to }: LogPart): AsyncGenerator<readonly LogBatch[]> {
    let batches = from < to ? await this.#batches(partition, from) : [];
    while (batches.length > 0) {
      const { nextOffset } = batches.at(-1)!;
      const next = nextOffset < to ? this.#batches(partition, nextOffset) : [];
      if (next instanceof Promise) next.catch(() => {}); // the caller may want no more
      yield batches;
      batches = await next;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await withTimeout(CLOSE_TIMEOUT_MS, this.#cluster.disconnect());
  }

  /** At least one batch after `offset`. */
  async #batches(partition: number, offset: number): Promise<readonly LogBatch[]> {
    for (let tries = 0;; tries++) {
      const batches = await this.#fetch(partition, offset, tries);
      if (batches.length > 0) return batches;
    }
  }

  /** Batches after `offset`, or none if another attempt is worthwhile. */
  async #fetch(partition: number, offset: number, tries: number): Promise<LogBatch[]> {
    try {
      if (tries > 0) {
        await backOff(tries, BACKOFF);
        await this.#cluster.refreshMetadata();
      }
      const batches = await this.#fetchOnce(partition, offset);
      if (batches.length > 0 || tries < MAX_EMPTY_TRIES) return batches;
    } catch (error) {
      const isOutOfRange = causes(error).some((link) => typeOf(link) === "OFFSET_OUT_OF_RANGE");
      if (isOutOfRange) throw new LogStartMovedError(partition, offset);
      const explained = explain(error, this.#config);
      if (!isPassing(explained) || tries >= MAX_TRIES) throw explained;
      return [];
    }
    const problem = new Error(`partition ${partition} returns nothing after offset ${offset}`);
    throw explain(problem, this.#config);
  }

  async #fetchOnce(partition: number, offset: number): Promise<LogBatch[]> {
    const { topic } = this.#config;
    const metadata = this.#cluster.findTopicPartitionMetadata(topic)
      .find(({ partitionId }) => partitionId === partition);
    if (!metadata || metadata.leader < 0) {
      const reason = metadata ? noLeader(metadata) : "the topic does not have it";
      throw new PartitionsAwayError(topic, new Map([[partition, reason]]));
    }
    const broker = await this.#cluster.findBroker({ nodeId: String(metadata.leader) });
    const request = {
      maxWaitTime: MAX_WAIT_MS,
      minBytes: 1,
      maxBytes: MAX_BYTES,
      isolationLevel: READ_COMMITTED,
      topics: [{
        topic,
        partitions: [{ partition, fetchOffset: String(offset), maxBytes: MAX_BYTES }],
      }],
    };
    let answer = await broker.fetch(request);
    // Over its quota a client gets nothing; kafkajs waits as the broker demands.
    while (isThrottled(answer)) answer = await broker.fetch(request);
    return answer.responses
      .flatMap(({ partitions }) => partitions)
      .flatMap((answer) => dropAborted(answer))
      .map(({ batch }) => batch)
      .filter(({ nextOffset }) => nextOffset > offset);
  }
}

function isThrottled({ clientSideThrottleTime, responses }: FetchAnswer): boolean {
  return (clientSideThrottleTime ?? 0) > 0 &&
    responses.every(({ partitions }) => partitions.every(({ messages }) => messages.length === 0));
}

/**
 * Counts of closed windows into a Kafka topic.
 *
 * Each send is a transaction, not for its records, which may be sent twice, but for its id:
 * opening the output takes the id over, and the broker refuses whatever a frozen worker still
 * has to send.
 * @module
 */

import { withTimeout } from "../../async/delay.ts";
import { causes, OperatorError, UnavailableError } from "../../core/failure.ts";
import { type RecordBatch, RecordCursor } from "../../core/records/record_batch.ts";
import type { KafkaConfig } from "../../core/settings/config.ts";
import {
  type ClosedCount,
  closedCountRecord,
  type CountKey,
  parseClosedCount,
  type PublishedCount,
  removedCountRecord,
} from "../../core/windowing/closed_count.ts";
import type { Output } from "../../pipeline/publisher.ts";
import { typeOf } from "./broker_errors.ts";
import { CLOSE_TIMEOUT_MS, RETRY } from "./client.ts";
import { KafkaCluster } from "./cluster.ts";
import { explain } from "./errors.ts";
import { type Kafka, type Message, Partitioners, type Producer } from "./kafkajs/kafkajs.ts";
import { LogReader } from "./log_reader.ts";

const TRANSACTION_TIMEOUT_MS = 30_000;
/** More than elsewhere: the broker refuses while it completes the previous transaction. */
const SEND_RETRY = { ...RETRY, retries: 8 };

export class KafkaOutput implements Output {
  readonly #kafka: Kafka;
  readonly #config: KafkaConfig;
  readonly #transactionalId: string;
  #producer: Producer | null = null;

  /** @param config of the cluster and group; its own topic is the input. */
  constructor(kafka: Kafka, config: KafkaConfig, topic: string) {
    this.#kafka = kafka;
    this.#config = { ...config, topic };
    this.#transactionalId = `${config.groupId}-output`;
  }

  /** @throws {TopicMissingError} if the topic does not exist. Changes nothing. */
  async assertTopic(): Promise<void> {
    await this.#explained(async () => {
      await using cluster = new KafkaCluster(this.#kafka, this.#config);
      await cluster.assertTopic("KAFKA_OUTPUT_TOPIC");
    });
  }

  async open(): Promise<void> {
    await this.assertTopic();
    const producer = this.#kafka.producer({
      allowAutoTopicCreation: false,
      createPartitioner: Partitioners.DefaultPartitioner, // as Java's: the same key, the same partition
      maxInFlightRequests: 1,
      transactionalId: this.#transactionalId,
      transactionTimeout: TRANSACTION_TIMEOUT_MS,
      retry: SEND_RETRY,
    });
    this.#producer = producer;
    await this.#explained(async () => {
      await producer.connect();
      // Connecting does not take the id over, the first transaction does.
      await (await producer.transaction()).abort();
    });
  }

  async send(counts: readonly ClosedCount[]): Promise<void> {
    await this.#send(counts.map(closedCountRecord));
  }

  async retract(keys: readonly CountKey[]): Promise<void> {
    await this.#send(keys.map(removedCountRecord));
  }

  async *read(): AsyncGenerator<PublishedCount[]> {
    try {
      await using cluster = new KafkaCluster(this.#kafka, this.#config);
      await using reader = await LogReader.open(this.#kafka, this.#config);
      for (const [partition, { startOffset, endOffset }] of await cluster.logRanges()) {
        const part = { partition, from: startOffset, to: endOffset };
        for await (const batches of reader.read(part)) {
          for (const batch of batches) {
            for await (const piece of batch.pieces()) yield countsIn(piece);
          }
        }
      }
    } catch (error) {
      throw this.#meaning(error, "read");
    }
  }

  async #send(messages: readonly Message[]): Promise<void> {
    await this.#explained(async () => {
      const transaction = await this.#producer!.transaction();
      await transaction.send({
        topic: this.#config.topic,
        acks: -1,
        messages: [...messages],
      });
      await transaction.commit();
    });
  }

  /** Opening the output again aborts a transaction that is still open. */
  async close(): Promise<void> {
    const producer = this.#producer;
    this.#producer = null;
    if (producer) await withTimeout(CLOSE_TIMEOUT_MS, producer.disconnect());
  }

  async #explained(action: () => Promise<void>): Promise<void> {
    try {
      await action();
    } catch (error) {
      throw this.#meaning(error);
    }
  }

  #meaning(error: unknown, right: "read" | "write to" = "write to"): Error {
    const { topic } = this.#config;
    for (const type of causes(error).map(typeOf)) {
      if (type === "TOPIC_AUTHORIZATION_FAILED") {
        return new OperatorError(
          `Kafka does not allow us to ${right} the topic ${topic} ` +
            "(ACL: Write, Read and Describe on KAFKA_OUTPUT_TOPIC)",
          { cause: error },
        );
      }
      if (type === "TRANSACTIONAL_ID_AUTHORIZATION_FAILED") {
        return new OperatorError(
          `Kafka does not allow us to use the transactional id ${this.#transactionalId} (ACL: Write and Describe on it)`,
          { cause: error },
        );
      }
      if (type === "INVALID_PRODUCER_EPOCH" || type === "PRODUCER_FENCED") {
        return new UnavailableError(`Another worker now publishes to ${topic}`, {
          cause: error,
        });
      }
    }
    return explain(error, this.#config);
  }
}

const DECODER = new TextDecoder();

/** The counts of a batch; records of other producers are skipped. */
function countsIn(batch: RecordBatch): PublishedCount[] {
  const counts: PublishedCount[] = [];
  const cursor = new RecordCursor(batch);
  while (cursor.next()) {
    const [key, value] = [cursor.key(), cursor.value()];
    const count = key && parseClosedCount(DECODER.decode(key), value && DECODER.decode(value));
    if (count) counts.push(count);
  }
  return counts;
}

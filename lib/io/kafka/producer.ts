/**
 * Records into a Kafka topic, for `produce`.
 * @module
 */

import { Buffer } from "node:buffer";
import type { KafkaConfig } from "../../core/settings/config.ts";
import type { GeneratedRecord } from "../../core/simulation/generator.ts";
import { rethrow } from "./errors.ts";
import { type Kafka, Partitioners, type Producer } from "./kafkajs/kafkajs.ts";

/** Retries for longer than a leader takes to move. */
const SEND_RETRY = { retries: 15, initialRetryTime: 100, maxRetryTime: 2_000 };

/** Sends batches of records, one after the other. */
export class KafkaProducer implements AsyncDisposable {
  readonly #producer: Producer;
  readonly #config: KafkaConfig;

  private constructor(producer: Producer, config: KafkaConfig) {
    this.#producer = producer;
    this.#config = config;
  }

  static async open(kafka: Kafka, config: KafkaConfig): Promise<KafkaProducer> {
    const producer = kafka.producer({
      allowAutoTopicCreation: false,
      createPartitioner,
      retry: SEND_RETRY,
    });
    await producer.connect().catch(rethrow(config));
    return new KafkaProducer(producer, config);
  }

  /** Resolves when all replicas have the records. Calls must not overlap. */
  async send(records: readonly GeneratedRecord[]): Promise<void> {
    await this.#producer.send({
      topic: this.#config.topic,
      acks: -1,
      messages: records.map(({ key, value }) => ({
        key,
        value: value instanceof Uint8Array ? Buffer.from(value) : value,
      })),
    }).catch(rethrow(this.#config));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#producer.disconnect();
  }
}

/** As Java's: the same lottery, the same partition. It hashes each key once. */
function createPartitioner(): ReturnType<typeof Partitioners.DefaultPartitioner> {
  const partitionOf = Partitioners.DefaultPartitioner();
  const known = new Map<string, number>();
  let partitions = 0;
  return (place) => {
    if (place.partitionMetadata.length !== partitions) known.clear();
    partitions = place.partitionMetadata.length;
    const key = String(place.message.key);
    const partition = known.get(key) ?? partitionOf(place);
    known.set(key, partition);
    return partition;
  };
}

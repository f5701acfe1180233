/**
 * Records into a Kafka topic, for `produce`.
 * @module
 */

import { Buffer } from "node:buffer";
import type { GeneratedRecord } from "../../core/generator.ts";
import { type Kafka, Partitioners, type Producer } from "./kafkajs.ts";

export class KafkaProducer implements AsyncDisposable {
  readonly #producer: Producer;
  readonly #topic: string;

  private constructor(producer: Producer, topic: string) {
    this.#producer = producer;
    this.#topic = topic;
  }

  static async open(kafka: Kafka, topic: string): Promise<KafkaProducer> {
    const producer = kafka.producer({
      allowAutoTopicCreation: false,
      createPartitioner: Partitioners.DefaultPartitioner, // Java's: the same lottery, the same partition
    });
    await producer.connect();
    return new KafkaProducer(producer, topic);
  }

  /** Resolves when all replicas have the records. Not to be called again before that. */
  async send(records: readonly GeneratedRecord[]): Promise<void> {
    await this.#producer.send({
      topic: this.#topic,
      acks: -1,
      messages: records.map(({ key, value }) => ({
        key,
        value: value instanceof Uint8Array ? Buffer.from(value) : value,
      })),
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#producer.disconnect();
  }
}

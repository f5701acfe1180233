/**
 * `start`: counts the topic until it is told to stop.
 * @module
 */

import type { Config } from "../core/config.ts";
import { UnavailableError } from "../core/failure.ts";
import { createKafka, KafkaCluster } from "../io/kafka/client.ts";
import { KafkaSource } from "../io/kafka/source.ts";
import { Worker } from "./worker.ts";

export interface StartOptions {
  readonly signal: AbortSignal;
}

/** Runs until the signal aborts. Waits for Kafka, the topic and PostgreSQL. */
export async function start(config: Config, { signal }: StartOptions): Promise<void> {
  const { kafka, databaseUrl } = config;
  await using worker = new Worker({ config, databaseUrl });
  await using _server = worker.serve();

  const client = await createKafka(kafka);
  await using cluster = new KafkaCluster(client, kafka);
  const clusterId = await worker.ask("source", async () => {
    if (await cluster.hasTopic()) return await cluster.id();
    throw new UnavailableError(
      `the topic ${kafka.topic} does not exist yet. Create it, or set KAFKA_TOPIC to another`,
    );
  }, signal);

  await using source = new KafkaSource(client, { config: kafka, cluster });
  await worker.run(source, { clusterId, topic: kafka.topic, signal });
}

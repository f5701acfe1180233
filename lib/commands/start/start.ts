/**
 * `start`: counts the topic until it is stopped.
 * @module
 */

import type { Config } from "../../core/settings/config.ts";
import { createKafka } from "../../io/kafka/client.ts";
import { KafkaCluster } from "../../io/kafka/cluster.ts";
import { ConsumerGroup } from "../../io/kafka/group/consumer_group.ts";
import { kafkaOrigin } from "../../io/kafka/origin.ts";
import { KafkaOutput } from "../../io/kafka/output.ts";
import { KafkaSource } from "../../io/kafka/source.ts";
import type { Terminal } from "../../io/terminal.ts";
import { WorkerState } from "../../observers/worker_state.ts";
import { StatusLine } from "../../worker/live_status_line.ts";
import { Worker } from "../../worker/worker.ts";

export interface StartOptions {
  readonly signal: AbortSignal;
  readonly terminal: Terminal;
}

/** Runs until the signal aborts. Waits for Kafka, the topic and PostgreSQL. */
export async function start(config: Config, { signal, terminal }: StartOptions): Promise<void> {
  const { databaseUrl } = config;
  const state = new WorkerState();
  using status = new StatusLine({ terminal, signal, state });
  await using worker = new Worker({ config, databaseUrl, sendsAlerts: true, state });
  await worker.guard(async () => {
    await using server = worker.serve();
    status.show(server.url);
    const kafka = await createKafka(config.kafka, worker.id);
    await using cluster = new KafkaCluster(kafka, config.kafka);
    const origin = await worker.retry("source", () => kafkaOrigin(cluster), signal);
    const epoch = await worker.retry("commit", () => worker.prepare(origin), signal);
    await using _publishing = config.outputTopic === undefined ? null : worker.publish(
      new KafkaOutput(kafka, config.kafka, config.outputTopic),
      config.outputTopic,
    );
    await using source = new KafkaSource(kafka, { config: config.kafka, cluster });
    await using group = new ConsumerGroup(kafka, config.kafka);
    await worker.count(source, { epoch, signal, group });
  });
}

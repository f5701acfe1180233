/**
 * The log that the counts are of, identified by its cluster.
 * @module
 */

import type { Origin } from "../../core/offsets/origin.ts";
import type { KafkaCluster } from "./cluster.ts";

/** @throws {TopicMissingError} if the topic does not exist yet. */
export async function kafkaOrigin(cluster: KafkaCluster): Promise<Origin> {
  await cluster.assertTopic();
  return {
    id: await cluster.id(),
    setting: "KAFKA_BROKERS (the cluster's id)",
    remedy:
      "stop all workers and adopt the new ones with `reset`, or set DATABASE_URL to another database",
  };
}

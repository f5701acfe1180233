/**
 * Which log the counts are of: that of the cluster that has the topic.
 * @module
 */

import type { Origin } from "../../core/offsets/origin.ts";
import type { KafkaCluster } from "./client.ts";

/** @throws {TopicMissingError} if there is nothing to count yet. */
export async function kafkaOrigin(cluster: KafkaCluster): Promise<Origin> {
  await cluster.assertTopic();
  return {
    id: await cluster.id(),
    setting: "KAFKA_BROKERS (the cluster's id)",
    remedy:
      "stop all workers and take over the new ones with `reset`, or set DATABASE_URL to another database",
  };
}

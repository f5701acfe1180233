/**
 * Names the topic and the database in messages before something is done to them: the settings may
 * not name those that were meant.
 * @module
 */

import type { Config, KafkaConfig } from "./config.ts";
import { redacted } from "./database_url.ts";

/** `user-events at localhost:9092`. */
export function topicPlace({ topic, brokers }: KafkaConfig): string {
  return `${topic} at ${brokers.join(", ")}`;
}

/** Lines that name the database and the cluster. */
export function placeLines({ databaseUrl, kafka }: Config, clusterId: string): string[] {
  return [
    `Database  ${redacted(databaseUrl)}`,
    `Kafka     ${topicPlace(kafka)}, cluster ${clusterId}`,
  ];
}

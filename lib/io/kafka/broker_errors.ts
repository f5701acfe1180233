/**
 * How far an error of kafkajs reaches: one broker, where another may answer; a partition, a topic,
 * or the whole cluster.
 * @module
 */

import { causes } from "../../core/failure.ts";
import { certificateProblem } from "../../core/tls/certificate.ts";

/** None of the given addresses leads to a broker that answers. */
export class NoBrokerError extends Error {
  override readonly name = "NoBrokerError";
}

/** Errors of kafkajs for a broker that cannot be reached, or no longer exists. */
const BROKER_ERRORS: ReadonlySet<string> = new Set([
  "KafkaJSBrokerNotFound",
  "KafkaJSConnectionClosedError",
  "KafkaJSConnectionError",
  "KafkaJSLockTimeout",
]);

/** True if another broker may succeed where this one failed. A wrong certificate requires an operator. */
export function isBrokerError(error: unknown): boolean {
  const isOfBroker = causes(error).some((link) =>
    BROKER_ERRORS.has(link.name) || typeOf(link) === "ILLEGAL_SASL_STATE"
  );
  return isOfBroker && !isClusterDown(error) && certificateProblem(error) === null;
}

/** True if none of the given addresses leads to a broker that answers. */
export function isClusterDown(error: unknown): boolean {
  return clusterDownReason(error) !== null;
}

/** Why none of the given addresses leads to a broker that answers; null for another failure. */
export function clusterDownReason(error: unknown): string | null {
  return causes(error).find((link) => link instanceof NoBrokerError)?.message ?? null;
}

/** True if a broker cannot serve a partition right now, such as while its leader moves. */
export function isPartitionError(error: unknown): boolean {
  return causes(error).some((link) =>
    link.name === "KafkaJSProtocolError" && "retriable" in link && link.retriable === true
  );
}

/** True if a partition has no leader: kafkajs then asks for it at broker -1. */
export function isLeaderless(error: unknown): boolean {
  return causes(error).some(({ name, message }) =>
    name === "KafkaJSBrokerNotFound" && message.startsWith("Broker -1 ")
  );
}

/** True if the topic, or a partition of it, does not exist. */
export function isUnknownTopic(error: unknown): boolean {
  return causes(error).some((link) => typeOf(link) === "UNKNOWN_TOPIC_OR_PARTITION");
}

/** Kafka's name for the error; empty if it is not one of the protocol. */
export function typeOf(link: Error): string {
  return "type" in link && typeof link.type === "string" ? link.type : "";
}

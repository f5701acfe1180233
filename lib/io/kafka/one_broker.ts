/**
 * Which failures are about one broker, where another one may answer.
 * @module
 */

import { causes } from "../../core/failure.ts";
import { certificateProblem } from "../../core/tls/certificate.ts";

/** No address that was given leads to a broker that answers. */
export class NoBrokerError extends Error {
  override readonly name = "NoBrokerError";
}

/** What says no more than that one broker cannot be reached, or is not there any more. */
const NAMES: ReadonlySet<string> = new Set([
  "KafkaJSBrokerNotFound",
  "KafkaJSConnectionClosedError",
  "KafkaJSConnectionError",
  "KafkaJSLockTimeout",
]);

/** True if another broker may do what this one did not. A certificate that is wrong needs a person. */
export function isOfOneBroker(error: unknown): boolean {
  const isIts = causes(error).some((link) =>
    NAMES.has(link.name) || "type" in link && link.type === "ILLEGAL_SASL_STATE"
  );
  return isIts && !isAway(error) && certificateProblem(error) === null;
}

/** True if no address that was given leads to a broker that answers. */
export function isAway(error: unknown): boolean {
  return reasonsAway(error) !== null;
}

/** Why no address that was given leads to a broker that answers; null for another failure. */
export function reasonsAway(error: unknown): string | null {
  return causes(error).find((link) => link instanceof NoBrokerError)?.message ?? null;
}

/** True if a broker cannot serve a partition right now, as while its leader moves. */
export function isOfPartition(error: unknown): boolean {
  return causes(error).some((link) =>
    link.name === "KafkaJSProtocolError" && "retriable" in link && link.retriable === true
  );
}

/** True if a partition has no leader: it is asked for at a broker that there is not. */
export function isLeaderless(error: unknown): boolean {
  return causes(error).some(({ name, message }) =>
    name === "KafkaJSBrokerNotFound" && message.startsWith("Broker -1 ")
  );
}

/** True if the topic, or a partition of it, is not known. */
export function isOfTopic(error: unknown): boolean {
  return causes(error).some((link) => "type" in link && link.type === "UNKNOWN_TOPIC_OR_PARTITION");
}

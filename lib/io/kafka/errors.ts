/**
 * What goes wrong with Kafka: what a person has to mend, in sentences that name the
 * setting to change; everything else passes.
 * @module
 */

import type { KafkaConfig } from "../../core/config.ts";
import { causes, OperatorError, UnavailableError } from "../../core/failure.ts";

/** Kafka's names for what does not pass, and what it means. */
const LASTING: Readonly<Record<string, string>> = {
  TOPIC_AUTHORIZATION_FAILED:
    "it does not allow us to read the topic (ACL: Read and Describe on KAFKA_TOPIC)",
  GROUP_AUTHORIZATION_FAILED:
    "it does not allow us to use the consumer group (ACL: Read on KAFKA_GROUP_ID)",
  CLUSTER_AUTHORIZATION_FAILED:
    "it does not allow us to ask about the cluster (ACL: Describe on the cluster)",
  INVALID_GROUP_ID: "it does not accept the name of the consumer group. Check KAFKA_GROUP_ID",
  INCONSISTENT_GROUP_PROTOCOL:
    "the consumer group is used by another kind of consumer. Set KAFKA_GROUP_ID to one of its own",
  UNSUPPORTED_VERSION: "it does not speak a version of the protocol that we do",
  UNSUPPORTED_COMPRESSION_TYPE: "the topic holds a compression that it cannot send us",
};

/**
 * A failure of kafkajs as ours. Only few need a person; for the rest kafkajs is not to
 * be believed: it gives up soon, wraps errors until nothing is left of them, and stumbles
 * over its own feet when a broker hangs. So all of that counts as Kafka being away.
 */
export function explain(error: unknown, { brokers, sasl }: KafkaConfig): Error {
  const where = brokers.join(", ");
  for (const link of causes(error)) {
    if (link instanceof OperatorError || link instanceof UnavailableError) return link;
    const { name, type } = link as Error & { readonly type?: unknown };
    if (name === "KafkaJSSASLAuthenticationError" || /SASL/.test(String(type))) {
      return new OperatorError(
        `Cannot log in to Kafka at ${where} as ${sasl?.username ?? "nobody"}: it refuses. ` +
          "Check KAFKA_SASL_MECHANISM, KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD",
        { cause: error },
      );
    }
    const meaning = typeof type === "string" ? LASTING[type] : undefined;
    if (meaning) {
      return new OperatorError(`Cannot go on with Kafka at ${where}: ${meaning}`, { cause: error });
    }
  }
  return new UnavailableError(
    `Cannot reach Kafka at ${where}. Is it running, and are KAFKA_BROKERS and KAFKA_SSL right?`,
    { cause: error },
  );
}

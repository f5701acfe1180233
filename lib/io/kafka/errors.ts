/**
 * What goes wrong with Kafka, in sentences that name the setting to change.
 * @module
 */

import type { KafkaConfig } from "../../core/config.ts";
import { causes, isPassing, OperatorError, UnavailableError } from "../../core/failure.ts";

/** Kafka's names for what we are not allowed to do. */
const NOT_ALLOWED: Readonly<Record<string, string>> = {
  TOPIC_AUTHORIZATION_FAILED: "read the topic (ACL: Read and Describe on KAFKA_TOPIC)",
  GROUP_AUTHORIZATION_FAILED: "use the consumer group (ACL: Read on KAFKA_GROUP_ID)",
  CLUSTER_AUTHORIZATION_FAILED: "ask about the cluster (ACL: Describe on the cluster)",
};

/** The same failure, as ours: for a person to mend, or of a system that is away. Others are returned as they are. */
export function explain(error: unknown, { brokers, sasl }: KafkaConfig): unknown {
  const where = brokers.join(", ");
  for (const link of causes(error)) {
    if (link instanceof OperatorError || link instanceof UnavailableError) return link;
    const { name, type } = link as Error & { readonly type?: string };
    if (name === "KafkaJSSASLAuthenticationError" || type === "ILLEGAL_SASL_STATE") {
      return new OperatorError(
        `Cannot log in to Kafka at ${where} as ${sasl?.username ?? "nobody"}: it refuses. ` +
          "Check KAFKA_SASL_MECHANISM, KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD.",
        { cause: error },
      );
    }
    if (type !== undefined && type in NOT_ALLOWED) {
      return new OperatorError(
        `Cannot go on: Kafka at ${where} does not allow us to ${NOT_ALLOWED[type]}.`,
        { cause: error },
      );
    }
  }
  if (!isPassing(error)) return error;
  return new UnavailableError(
    `Cannot reach Kafka at ${where}. Is it running, and are KAFKA_BROKERS and KAFKA_SSL right?`,
    { cause: error },
  );
}

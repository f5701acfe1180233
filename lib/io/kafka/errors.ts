/**
 * What goes wrong with Kafka: what a person has to mend, in sentences that name the
 * setting to change; everything else passes.
 * @module
 */

import { causes, OperatorError, UnavailableError } from "../../core/failure.ts";
import type { KafkaConfig } from "../../core/settings/config.ts";
import { type CertificateProblem, certificateProblem } from "../../core/tls/certificate.ts";
import { isAway, isLeaderless, isOfPartition } from "./one_broker.ts";

/** Kafka's names for what does not pass, and what it means. */
const LASTING: Readonly<Record<string, string>> = {
  TOPIC_AUTHORIZATION_FAILED:
    "it does not allow us to use the topic. Grant Read and DescribeConfigs on the topic of KAFKA_TOPIC; to produce, Write",
  GROUP_AUTHORIZATION_FAILED:
    "it does not allow us to use the consumer group. Grant Read on the group of KAFKA_GROUP_ID",
  CLUSTER_AUTHORIZATION_FAILED:
    "it does not allow us to ask about the cluster. Grant Describe on the cluster",
  INVALID_GROUP_ID: "it does not accept the name of the consumer group. Check KAFKA_GROUP_ID",
  INCONSISTENT_GROUP_PROTOCOL:
    "the consumer group is used by another kind of consumer. Set KAFKA_GROUP_ID to one of its own",
  UNSUPPORTED_VERSION: "it does not speak a version of the protocol that we do",
  UNSUPPORTED_COMPRESSION_TYPE: "the topic holds a compression that it cannot send us",
};

/** Kafka's names for what passes when it is all there. */
const NO_COORDINATOR: ReadonlySet<string> = new Set([
  "GROUP_COORDINATOR_NOT_AVAILABLE",
  "GROUP_LOAD_IN_PROGRESS",
]);

/** What is wrong with a certificate, and where to mend it. */
const CERTIFICATES: Readonly<Record<CertificateProblem, string>> = {
  untrusted:
    "its certificate is not by an authority that we trust. Set KAFKA_SSL_CA_FILE to the certificate of its authority",
  expired: "its certificate is not valid today. Renew it there, or set the clock here",
  "other name":
    "its certificate is for another host. Set KAFKA_BROKERS to a name that the certificate has; " +
    "the brokers' advertised.listeners need such names, too",
  "client refused":
    "it refuses our certificate, or that we show none. Check KAFKA_SSL_CERT_FILE and KAFKA_SSL_KEY_FILE",
};

/**
 * A failure of kafkajs as ours. Only few need a person; for the rest kafkajs is not to
 * be believed: it gives up soon, wraps errors until nothing is left of them, and stumbles
 * over its own feet when a broker hangs. So all of that counts as Kafka being away.
 */
export function explain(error: unknown, { brokers, sasl, topic }: KafkaConfig): Error {
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
    if (type === "UNKNOWN_TOPIC_OR_PARTITION") {
      return new UnavailableError(
        `Kafka at ${where} does not have the topic ${topic}, or not all of its partitions. Was it deleted?`,
        { cause: error },
      );
    }
    if (typeof type === "string" && NO_COORDINATOR.has(type)) {
      return new UnavailableError(
        `Kafka at ${where} has no coordinator for consumer groups: it has just been started, it has fewer ` +
          "brokers than offsets.topic.replication.factor, or those with its topic __consumer_offsets are down",
        { cause: error },
      );
    }
    const meaning = typeof type === "string" ? LASTING[type] : undefined;
    if (meaning) {
      return new OperatorError(`Cannot go on with Kafka at ${where}: ${meaning}`, { cause: error });
    }
  }
  const certificate = certificateProblem(error);
  if (certificate) {
    return new OperatorError(
      `Cannot connect to Kafka at ${where} by TLS: ${CERTIFICATES[certificate]}`,
      { cause: error },
    );
  }
  if (isLeaderless(error)) {
    return new UnavailableError(
      `A partition of ${topic} has no leader, because no broker that has a copy of it is there. ` +
        "`doctor` tells which",
      { cause: error },
    );
  }
  return new UnavailableError(whatIsAway(error, brokers), { cause: error });
}

const ARE_SETTINGS_RIGHT =
  "Is it running, and are KAFKA_BROKERS, KAFKA_SSL and KAFKA_SASL_MECHANISM right?";

/** What does not answer, or not as it should: all that we were given, or one broker of a cluster that does. */
function whatIsAway(error: unknown, brokers: readonly string[]): string {
  const where = `Kafka at ${brokers.join(", ")}`;
  const broker = causes(error).map((link) => "broker" in link ? link.broker : null)
    .find((address) => typeof address === "string");
  if (typeof broker === "string" && !isAway(error)) {
    const isGiven = brokers.includes(broker) || brokers.includes(inBrackets(broker));
    if (isGiven && brokers.length === 1) return `Cannot reach ${where}. ${ARE_SETTINGS_RIGHT}`;
    const what = `${where} answers, but not its broker at ${broker}`;
    if (isGiven) return `${what}. ${ARE_SETTINGS_RIGHT}`;
    return `${what}, as it is called there. ${
      isHungUp(error)
        ? ARE_SETTINGS_RIGHT
        : "Set advertised.listeners of that broker to an address that can be reached from here"
    }`;
  }
  if (isOfPartition(error)) return `${where} answers, but is not able to do this right now`;
  return `Cannot reach ${where}. ${ARE_SETTINGS_RIGHT}`;
}

/** True if the other side took the connection, and closed it: a listener that wants a log-in does so. */
function isHungUp(error: unknown): boolean {
  return causes(error).some(({ name }) => name === "KafkaJSConnectionClosedError");
}

/** An IPv6 address with its port, as settings have it. */
function inBrackets(address: string): string {
  return address.replace(/^(.*):(\d+)$/, "[$1]:$2");
}

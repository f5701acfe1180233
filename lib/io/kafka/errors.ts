/**
 * The meaning of kafkajs's errors: what an operator has to fix, in sentences that name the setting
 * to change; everything else passes.
 * @module
 */

import { causes, OperatorError, UnavailableError } from "../../core/failure.ts";
import type { KafkaConfig } from "../../core/settings/config.ts";
import { type CertificateProblem, certificateProblem } from "../../core/tls/certificate.ts";
import {
  isClusterDown,
  isLeaderless,
  isPartitionError,
  isUnknownTopic,
  typeOf,
} from "./broker_errors.ts";

/** Kafka's names for errors that do not pass, and what they mean. */
const LASTING: Readonly<Record<string, string>> = {
  TOPIC_AUTHORIZATION_FAILED:
    "it does not allow us to use the topic. Grant Read and DescribeConfigs on the topic of KAFKA_TOPIC; to produce, Write",
  GROUP_AUTHORIZATION_FAILED:
    "it does not allow us to use the consumer group. Grant Read on the group of KAFKA_GROUP_ID",
  CLUSTER_AUTHORIZATION_FAILED:
    "it does not allow us to describe the cluster. Grant Describe on the cluster",
  INVALID_GROUP_ID: "it does not accept the name of the consumer group. Check KAFKA_GROUP_ID",
  INCONSISTENT_GROUP_PROTOCOL:
    "the consumer group is in use by another kind of consumer. Set KAFKA_GROUP_ID to an unused name",
  UNSUPPORTED_VERSION: "it does not support the protocol versions that we need",
  UNSUPPORTED_COMPRESSION_TYPE: "the topic is compressed with a codec that it cannot send to us",
};

/** What is wrong with a certificate, and where to fix it. */
const CERTIFICATES: Readonly<Record<CertificateProblem, string>> = {
  untrusted:
    "its certificate is not signed by a trusted authority. Set KAFKA_SSL_CA_FILE to the certificate of that authority",
  expired:
    "its certificate is expired or not valid yet. Renew it on the broker, or correct the clock of this machine",
  "other name":
    "its certificate is for another host. Set KAFKA_BROKERS to a name in the certificate; " +
    "the brokers' advertised.listeners must use such names, too",
  "client refused":
    "it rejects our certificate, or requires one. Check KAFKA_SSL_CERT_FILE and KAFKA_SSL_KEY_FILE",
};

const NO_COORDINATOR =
  "has no coordinator for consumer groups: it has just started, it has fewer " +
  "brokers than offsets.topic.replication.factor, or the brokers of its topic __consumer_offsets are down";

/** Kafka's names for errors that pass, and what they mean. */
const PASSING: Readonly<Record<string, string>> = {
  GROUP_COORDINATOR_NOT_AVAILABLE: NO_COORDINATOR,
  GROUP_LOAD_IN_PROGRESS: NO_COORDINATOR,
};

/**
 * An error of kafkajs as one of ours. Few of them require an operator. The others cannot be
 * distinguished: kafkajs gives up soon, wraps errors until nothing is left of them, and fails in unrelated
 * places when a broker hangs. So all of those count as Kafka being down.
 */
export function explain(error: unknown, { brokers, sasl, topic }: KafkaConfig): Error {
  const where = `Kafka at ${brokers.join(", ")}`;
  const lasting = (text: string) => new OperatorError(text, { cause: error });
  const passing = (text: string) => new UnavailableError(text, { cause: error });
  for (const link of causes(error)) {
    if (link instanceof OperatorError || link instanceof UnavailableError) return link;
    const type = typeOf(link);
    if (link.name === "KafkaJSSASLAuthenticationError" || type.includes("SASL")) {
      return lasting(
        `Cannot log in to ${where} as ${sasl?.username ?? "nobody"}: it rejects the credentials. ` +
          "Check KAFKA_SASL_MECHANISM, KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD",
      );
    }
    if (LASTING[type]) return lasting(`Cannot continue with ${where}: ${LASTING[type]}`);
    if (PASSING[type]) return passing(`${where} ${PASSING[type]}`);
  }
  if (isUnknownTopic(error)) {
    return passing(
      `${where} does not have the topic ${topic}, or not all of its partitions. Was it deleted?`,
    );
  }
  const certificate = certificateProblem(error);
  if (certificate) {
    return lasting(`Cannot connect to ${where} over TLS: ${CERTIFICATES[certificate]}`);
  }
  if (isLeaderless(error)) {
    return passing(
      `A partition of ${topic} has no leader, because no broker with a copy of it is up. ` +
        "`doctor` shows which",
    );
  }
  return passing(unreachable(error, brokers));
}

/** For `catch`: throws the error of kafkajs as one of ours. */
export function rethrow(config: KafkaConfig): (error: unknown) => never {
  return (error) => {
    throw explain(error, config);
  };
}

const ARE_SETTINGS_RIGHT =
  "Is it running, and are KAFKA_BROKERS, KAFKA_SSL and KAFKA_SASL_MECHANISM right?";

/** Either nothing answers at the addresses given, or one broker of a cluster that does is down. */
function unreachable(error: unknown, brokers: readonly string[]): string {
  const where = `Kafka at ${brokers.join(", ")}`;
  const broker = causes(error).map((link) => "broker" in link ? link.broker : null)
    .find((address) => typeof address === "string");
  if (typeof broker === "string" && !isClusterDown(error)) {
    const isGiven = brokers.includes(broker) || brokers.includes(inBrackets(broker));
    if (isGiven && brokers.length === 1) return `Cannot reach ${where}. ${ARE_SETTINGS_RIGHT}`;
    const what = `${where} answers, but not its broker at ${broker}`;
    if (isGiven) return `${what}. ${ARE_SETTINGS_RIGHT}`;
    return `${what}, the address that the broker advertises. ${
      isHungUp(error)
        ? ARE_SETTINGS_RIGHT
        : "Set advertised.listeners of that broker to an address that is reachable from here"
    }`;
  }
  if (isPartitionError(error)) return `${where} answers, but cannot do this right now`;
  return `Cannot reach ${where}. ${ARE_SETTINGS_RIGHT}`;
}

/** True if the other side accepted the connection and closed it, as a listener that wants a log-in does. */
function isHungUp(error: unknown): boolean {
  return causes(error).some(({ name }) => name === "KafkaJSConnectionClosedError");
}

/** An IPv6 address with its port, as settings spell it. */
function inBrackets(address: string): string {
  return address.replace(/^(.*):(\d+)$/, "[$1]:$2");
}

/**
 * Settings to a kafkajs client, and its log lines to ours.
 * @module
 */

import { getLogger } from "@logtape/logtape";
import type { ConnectionOptions } from "node:tls";
import type { KafkaConfig } from "../../core/settings/config.ts";
import { readKeyPair, readPem } from "../pem.ts";
import { Kafka, type LogEntry, logLevel, type SASLOptions } from "./kafkajs/kafkajs.ts";
import { createSocket } from "./kafkajs/socket.ts";

/** Few and short, because every caller retries. */
export const RETRY = { retries: 2, initialRetryTime: 100, maxRetryTime: 1_000 };

/** A connection that hangs must not delay the exit. */
export const CLOSE_TIMEOUT_MS = 1_000;

/**
 * A client that connects on first use.
 * @param clientId the brokers' name for it, in their logs and as a member of a group.
 * @throws {OperatorError} if a file that the settings name cannot be read.
 */
export async function createKafka(
  { brokers, ssl, sasl }: KafkaConfig,
  clientId = "lottery-events-pipeline",
): Promise<Kafka> {
  return new Kafka({
    clientId,
    brokers: [...brokers],
    connectionTimeout: 5_000,
    requestTimeout: 30_000,
    retry: RETRY,
    logLevel: logLevel.DEBUG,
    logCreator: () => log,
    socketFactory: createSocket,
    ...(ssl && { ssl: await tlsOptions(ssl) }),
    ...(sasl && { sasl: sasl as SASLOptions }),
  });
}

async function tlsOptions(
  { caFile, certFile, keyFile }: NonNullable<KafkaConfig["ssl"]>,
): Promise<ConnectionOptions> {
  return {
    ...caFile && { ca: await readPem({ name: "KAFKA_SSL_CA_FILE", path: caFile }) },
    ...certFile && keyFile && await readKeyPair(
      { name: "KAFKA_SSL_CERT_FILE", path: certFile },
      { name: "KAFKA_SSL_KEY_FILE", path: keyFile },
    ),
  };
}

/** kafkajs's own lines only help to debug it; we log what matters ourselves. */
function log({ namespace, log: { message, timestamp: _, logger: __, ...extra } }: LogEntry): void {
  getLogger(["lottery", "kafkajs"]).debug("{namespace}: {text}", {
    namespace,
    text: message,
    ...extra,
  });
}

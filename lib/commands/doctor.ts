/**
 * `doctor`: tries everything that `start` needs, changes nothing, and reports it all.
 * @module
 */

import type { Config, SmtpConfig } from "../core/config.ts";
import { redacted } from "../core/database_url.ts";
import { describe } from "../core/failure.ts";
import { COMPACTED_NOTE, CompactedError } from "../core/log_range.ts";
import { createKafka, KafkaCluster } from "../io/kafka/client.ts";
import { KafkaOutput } from "../io/kafka/output.ts";
import { Connection } from "../io/postgres/connection.ts";
import { comparePipeline } from "../io/postgres/identity.ts";
import { assertUsable, isMigrated } from "../io/postgres/migrate.ts";
import { verifySmtp } from "../io/smtp.ts";
import { testMail } from "./alert.ts";
import { kafkaOrigin } from "./start.ts";
import { claimOf } from "./worker.ts";

/** How `doctor` was called. */
export interface DoctorOptions {
  /** Sends a test mail. */
  readonly sendsMail: boolean;
}

/** What was looked at, and how it is. */
export interface Finding {
  readonly subject: string;
  readonly isGood: boolean;
  readonly text: string;
}

/** Looks at everything, one after the other; never throws for what it finds. */
export async function* doctor(
  config: Config,
  { sendsMail }: DoctorOptions,
): AsyncGenerator<Finding> {
  yield* checkKafka(config);
  const postgres = await finding(
    `PostgreSQL ${redacted(config.databaseUrl)}`,
    () => checkPostgres(config),
  );
  yield postgres;
  if (postgres.isGood) yield await finding("Counts in it", () => checkCounts(config));
  yield await finding("SMTP", () => checkSmtp(config.smtp));
  if (sendsMail) {
    yield await finding("Test mail", async () => `the server answered: ${await testMail(config)}`);
  }
}

async function* checkKafka({ kafka, outputTopic, onDataLoss }: Config): AsyncGenerator<Finding> {
  const subject = `Kafka ${kafka.brokers.join(", ")}`;
  let isReachable = false;
  const client = await createKafka(kafka).catch((error) => error as Error);
  if (client instanceof Error) {
    yield { subject, isGood: false, text: describe(client) };
    return;
  }
  await using cluster = new KafkaCluster(client, kafka);
  yield await finding(subject, async () => {
    const id = await cluster.id();
    isReachable = true;
    return `answers, cluster ${id}`;
  });
  if (!isReachable) return;
  yield await finding(`Topic ${kafka.topic}`, async () => {
    await cluster.assertTopic();
    const ranges = [...(await cluster.logRanges()).values()];
    const offsets = ranges.reduce(
      (sum, { startOffset, endOffset }) => sum + endOffset - startOffset,
      0,
    );
    const isCompacted = await cluster.isCompacted();
    if (isCompacted && onDataLoss === "fail") throw new CompactedError();
    return `${ranges.length} partitions with ${offsets} offsets` +
      (isCompacted ? `; note that ${COMPACTED_NOTE}` : "");
  });
  yield await finding(`Consumer group ${kafka.groupId}`, async () => {
    await cluster.assertGroup();
    return "may be used";
  });
  if (outputTopic === undefined) return;
  yield await finding(`Output topic ${outputTopic}`, async () => {
    await new KafkaOutput(client, kafka, outputTopic).assertTopic();
    return "is there";
  });
}

async function checkPostgres(config: Config): Promise<string> {
  await using connection = new Connection(config.databaseUrl);
  return await assertUsable(connection);
}

/** Whether the counts that are in the database were made with these settings. */
async function checkCounts(config: Config): Promise<string> {
  await using cluster = new KafkaCluster(await createKafka(config.kafka), config.kafka);
  await using connection = new Connection(config.databaseUrl);
  if (!await isMigrated(connection)) return "none yet";
  const claim = claimOf(config, await kafkaOrigin(cluster));
  return await comparePipeline(connection, claim) === null
    ? "none yet"
    : "made with the same settings";
}

async function checkSmtp(smtp: SmtpConfig | undefined): Promise<string> {
  if (!smtp) return "SMTP_HOST is not set: no mails are sent";
  await verifySmtp(smtp);
  return `${smtp.host}:${smtp.port} answers`;
}

async function finding(subject: string, check: () => Promise<string>): Promise<Finding> {
  try {
    return { subject, isGood: true, text: await check() };
  } catch (error) {
    return { subject, isGood: false, text: describe(error) };
  }
}

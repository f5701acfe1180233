/**
 * `status`: how far the pipeline is, which workers count, and what needs attention. Changes nothing.
 * @module
 */

import { describe } from "../../core/failure.ts";
import { CompactedError } from "../../core/offsets/log_range.ts";
import type { Config } from "../../core/settings/config.ts";
import { problemsOf, type Status } from "../../core/views/status.ts";
import { createKafka } from "../../io/kafka/client.ts";
import { KafkaCluster } from "../../io/kafka/cluster.ts";
import { ConsumerGroup } from "../../io/kafka/group/consumer_group.ts";
import { kafkaOrigin } from "../../io/kafka/origin.ts";
import { KafkaOutput } from "../../io/kafka/output.ts";
import { claimOf, comparePipeline } from "../../io/postgres/identity.ts";
import { deadLettersByReason } from "../../io/postgres/queries/dead_letter_counts.ts";
import { eventTimeStatus, outboxStatus } from "../../io/postgres/queries/progress.ts";
import { readBooksDifference } from "../../io/postgres/queries/watch/books.ts";
import { readLastAudit } from "../../io/postgres/queries/watch/last_audit.ts";
import { readQuiet } from "../../io/postgres/queries/watch/quiet.ts";
import { assertUpToDate } from "../../io/postgres/schema/migrate.ts";
import { Connection } from "../../io/postgres/session/connection.ts";
import { type KafkaState, readCoverage, readKafkaState } from "./coverage.ts";

export interface StatusReport {
  readonly status: Status;
  readonly problems: readonly string[];
  /** By the database's clock. */
  readonly nowMs: number;
}

/**
 * Asks both systems; what Kafka does not answer is left out.
 * @throws {UnavailableError} if PostgreSQL is down.
 */
export async function status(config: Config): Promise<StatusReport> {
  await using connection = new Connection(config.databaseUrl);
  await assertUpToDate(connection);
  const { outputTopic, kafka: { topic, groupId } } = config;
  const asked = await askKafka(config, connection).catch(describe);
  const kafka = typeof asked === "string" ? null : asked;
  const findings = typeof asked === "string" ? [asked] : asked.findings;
  const { watermarkMs, closedUpToMs, nowMs } = await eventTimeStatus(connection);
  const status: Status = {
    topic,
    groupId,
    isCompacted: kafka?.isCompacted ?? false,
    ...await readCoverage(connection, { topic, kafka }),
    watermarkMs,
    closedUpToMs,
    output: outputTopic === undefined
      ? null
      : { topic: outputTopic, ...await outboxStatus(connection) },
    deadLetters: await deadLettersByReason(connection),
    audit: await readLastAudit(connection),
    booksDifference: await readBooksDifference(connection),
    quiet: await readQuiet(connection),
    findings,
  };
  return { status, problems: problemsOf(status, nowMs), nowMs };
}

async function askKafka(config: Config, connection: Connection): Promise<
  KafkaState & {
    /** How the settings differ from those of the counts, and what keeps closed windows from being published. */
    readonly findings: readonly string[];
    readonly isCompacted: boolean;
  }
> {
  const client = await createKafka(config.kafka);
  await using cluster = new KafkaCluster(client, config.kafka);
  await using group = new ConsumerGroup(client, config.kafka);
  const claim = claimOf(config, await kafkaOrigin(cluster));
  const { outputTopic } = config;
  const findings = [
    await comparePipeline(connection, claim).then(() => [], describe),
    outputTopic === undefined
      ? []
      : await new KafkaOutput(client, config.kafka, outputTopic).assertTopic()
        .then(() => [], describe),
  ].flat();
  const isCompacted = await cluster.isCompacted();
  if (isCompacted && config.onDataLoss === "fail") findings.push(describe(new CompactedError()));
  return { ...await readKafkaState({ cluster, group }), isCompacted, findings };
}

/**
 * `audit`: recounts the topic up to the stored offsets, while workers run, and compares
 * every row of counts and every dead letter.
 * @module
 */

import { auditRound } from "../../auditor/round.ts";
import type { AuditReport } from "../../core/audit/audit.ts";
import { withCoverage } from "../../core/audit/audit_coverage.ts";
import { OperatorError } from "../../core/failure.ts";
import type { Config } from "../../core/settings/config.ts";
import { progressBar } from "../../core/text/progress_bar.ts";
import { windowStart } from "../../core/windowing/window.ts";
import { createKafka } from "../../io/kafka/client.ts";
import { KafkaCluster } from "../../io/kafka/cluster.ts";
import { ConsumerGroup } from "../../io/kafka/group/consumer_group.ts";
import { kafkaLog } from "../../io/kafka/kafka_log.ts";
import { LogReader } from "../../io/kafka/log_reader.ts";
import { kafkaOrigin } from "../../io/kafka/origin.ts";
import { claimOf, comparePipeline } from "../../io/postgres/identity.ts";
import { eventTimeStatus } from "../../io/postgres/queries/progress.ts";
import { assertUpToDate } from "../../io/postgres/schema/migrate.ts";
import { Connection } from "../../io/postgres/session/connection.ts";
import type { Terminal } from "../../io/terminal.ts";
import { readCoverage, readKafkaState } from "../status/coverage.ts";

export interface AuditOptions {
  readonly terminal: Terminal;
  /** How many differences of a kind will be shown. */
  readonly limit: number;
  /** Windows that end at or before it are not recounted; by default all that can be are. */
  readonly since?: ((nowMs: number) => number) | undefined;
}

/**
 * Changes nothing, and joins no group.
 * @throws {OperatorError} if nothing has been counted.
 */
export async function audit(
  config: Config,
  { terminal, limit, since }: AuditOptions,
): Promise<AuditReport> {
  const kafka = await createKafka(config.kafka);
  await using cluster = new KafkaCluster(kafka, config.kafka);
  await using connection = new Connection(config.databaseUrl);
  await assertUpToDate(connection);
  const claim = claimOf(config, await kafkaOrigin(cluster));
  if (await comparePipeline(connection, claim) === null) {
    throw new OperatorError("Cannot audit: nothing has been counted into this database yet.");
  }
  const { topic, groupId } = config.kafka;
  await using group = new ConsumerGroup(kafka, config.kafka);
  const coverage = await readCoverage(connection, {
    topic,
    kafka: await readKafkaState({ cluster, group }),
  });
  const { nowMs } = await eventTimeStatus(connection);
  await using reader = await LogReader.open(kafka, config.kafka);
  const { windowMs, maxFutureMs } = config;
  const report = await auditRound({
    ...{ connection, topic, windowMs, maxFutureMs, limit },
    log: kafkaLog(cluster, reader),
    // An hour ago is in the middle of a window of a day.
    sinceMs: since ? windowStart(since(nowMs), windowMs) : null,
    onProgress: (progress) =>
      terminal.showStatus((columns) => progressBar({ ...progress, unit: "offsets", columns })),
  });
  terminal.endStatus();
  return withCoverage(report, coverage, { groupId, nowMs });
}

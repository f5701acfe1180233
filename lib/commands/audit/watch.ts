/**
 * `audit --watch`: proves the tables all day, and mails when they are wrong.
 * @module
 */

import { Auditor } from "../../auditor/auditor.ts";
import { rightAlert, stoppedAlert, wrongAlert } from "../../auditor/mails.ts";
import type { AuditReport } from "../../core/audit/audit.ts";
import { withCoverage } from "../../core/audit/audit_coverage.ts";
import type { AuditNote } from "../../core/audit/audit_note.ts";
import { isPassing } from "../../core/failure.ts";
import type { Config, KafkaConfig } from "../../core/settings/config.ts";
import { groupDigits, plural } from "../../core/text/numbers.ts";
import { utcTime } from "../../core/text/time.ts";
import { createKafka } from "../../io/kafka/client.ts";
import { KafkaCluster } from "../../io/kafka/cluster.ts";
import { ConsumerGroup } from "../../io/kafka/group/consumer_group.ts";
import { kafkaLog } from "../../io/kafka/kafka_log.ts";
import type { Kafka } from "../../io/kafka/kafkajs/kafkajs.ts";
import { LogReader } from "../../io/kafka/log_reader.ts";
import { kafkaOrigin } from "../../io/kafka/origin.ts";
import { log } from "../../io/logs.ts";
import { PostgresAlertClaims } from "../../io/postgres/alert_claims.ts";
import { claimOf, comparePipeline } from "../../io/postgres/identity.ts";
import { eventTimeStatus } from "../../io/postgres/queries/progress.ts";
import { Connection } from "../../io/postgres/session/connection.ts";
import type { Alerts } from "../../observers/alerts.ts";
import { contextOf, openAlerts } from "../../worker/alerts.ts";
import { readCoverage, readKafkaState } from "../status/coverage.ts";

export interface WatchOptions {
  readonly intervalMs: number;
  readonly signal: AbortSignal;
  /** The host's name, for mails. */
  readonly host: string;
}

/** After this time without a mail the session for them is closed. */
const IDLE_MS = 60_000;

/**
 * Runs until the signal aborts. Waits for Kafka, PostgreSQL, and for what is to be audited.
 * @throws {OperatorError} if an operator has to act, after a mail about it.
 */
export async function watch(config: Config, options: WatchOptions): Promise<void> {
  await using connection = new Connection(config.databaseUrl, undefined, { idleMs: IDLE_MS });
  await using alerts = openAlerts(config, {
    claims: new PostgresAlertClaims(connection, () => true),
    state: { outage: () => null },
    context: () => contextOf(config, options.host),
  });
  if (!alerts) log.info("No mails are sent: SMTP_HOST is not set");
  try {
    await audit(config, { ...options, alerts });
  } catch (error) {
    if (!isPassing(error)) alerts?.raise(stoppedAlert(error));
    throw error;
  }
}

async function audit(
  config: Config,
  { intervalMs, signal, alerts }: WatchOptions & { readonly alerts: Alerts | null },
): Promise<void> {
  const { databaseUrl, windowMs, maxFutureMs } = config;
  const { topic, groupId } = config.kafka;
  const kafka = await createKafka(config.kafka);
  await using cluster = new KafkaCluster(kafka, config.kafka);
  await using group = new ConsumerGroup(kafka, config.kafka);
  await new Auditor({
    ...{ databaseUrl, topic, windowMs, maxFutureMs, intervalMs },
    log: kafkaLog(cluster, newReaders(kafka, config.kafka)),
    check: async (connection) => {
      await comparePipeline(connection, claimOf(config, await kafkaOrigin(cluster)));
    },
    complete: async (report, connection) => {
      const kafka = await readKafkaState({ cluster, group });
      const coverage = await readCoverage(connection, { topic, kafka });
      const { nowMs } = await eventTimeStatus(connection);
      return withCoverage(report, coverage, { groupId, nowMs });
    },
    onRound: (report, note, before) => {
      logRound(report, note);
      const wasWrong = before.verdict === "wrong";
      if (note.verdict === "wrong") alerts?.raise(wrongAlert(note, before), { isNew: !wasWrong });
      else if (wasWrong) alerts?.announce(rightAlert(note, before));
    },
  }).run(signal);
}

/** Each reading has connections of its own: between two rounds a broker may have closed them. */
function newReaders(kafka: Kafka, config: KafkaConfig): Pick<LogReader, "read"> {
  return {
    async *read(part) {
      await using reader = await LogReader.open(kafka, config);
      yield* reader.read(part);
    },
  };
}

/** One line about a round; what is wrong is in it. */
function logRound({ problems }: AuditReport, note: AuditNote): void {
  const { fromMs, rows, wrong, notProvable, firstWrong, records } = note;
  const what = fromMs === null ? "everything" : `the windows since ${utcTime(fromMs)}`;
  const seconds = Math.round(note.seconds * 10) / 10;
  const numbers = { records, rows, wrong, notProvable, seconds, verdict: note.verdict };
  const counted = `Audit of ${what}: ${plural(rows, "row")} recounted, `;
  if (note.verdict === "agrees") log.info(`${counted}all agree, in {seconds} s`, numbers);
  else if (note.verdict === "not provable") {
    log.info(
      `${counted}all agree, and ${groupDigits(notProvable)} not provable: their records are no ` +
        "longer in the log, in {seconds} s",
      numbers,
    );
  } else if (note.verdict === "incomplete") {
    const uncounted = problems.join("; ");
    log.warn(`${counted}all agree, but not everything is counted: {uncounted}`, {
      ...numbers,
      uncounted,
    });
  } else {
    log.error(`${counted}${groupDigits(wrong)} WRONG: {firstWrong}`, {
      ...numbers,
      firstWrong: firstWrong.join("; "),
    });
  }
}

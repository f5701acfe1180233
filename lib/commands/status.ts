/**
 * `status`: how far the pipeline is, who counts, and what needs a person. Changes nothing.
 * @module
 */

import type { Config } from "../core/config.ts";
import { describe } from "../core/failure.ts";
import type { LogView } from "../core/log_range.ts";
import { type GroupMember, problemsOf, type Status } from "../core/status.ts";
import { createKafka, KafkaCluster } from "../io/kafka/client.ts";
import { KafkaOutput } from "../io/kafka/output.ts";
import { Connection } from "../io/postgres/connection.ts";
import { comparePipeline } from "../io/postgres/identity.ts";
import { assertUpToDate } from "../io/postgres/migrate.ts";
import {
  deadLettersByReason,
  eventTimeStatus,
  outboxStatus,
  storedPartitions,
  workersWithSessions,
} from "../io/postgres/status_reader.ts";
import { kafkaOrigin } from "./start.ts";
import { claimOf } from "./worker.ts";

/** What was looked at, and what about it needs a person. */
export interface StatusReport {
  readonly status: Status;
  readonly problems: readonly string[];
}

/**
 * Looks at both systems; what Kafka does not tell is left out.
 * @throws {UnavailableError} if PostgreSQL is away.
 */
export async function status(config: Config): Promise<StatusReport> {
  await using connection = new Connection(config.databaseUrl);
  await assertUpToDate(connection);
  const { outputTopic, kafka: { topic, groupId } } = config;
  const findings: string[] = [];
  const kafka = await askKafka(config, connection).catch((error) => {
    findings.push(describe(error));
    return null;
  });
  findings.push(...kafka?.findings ?? []);
  const stored = new Map(
    (await storedPartitions(connection, topic)).map((row) => [row.partition, row]),
  );
  const { watermarkMs, closedUpToMs, nowMs } = await eventTimeStatus(connection);
  const log = kafka?.log ?? { ranges: new Map(), unavailable: new Map() };
  const partitions = new Set([...stored.keys(), ...log.ranges.keys(), ...log.unavailable.keys()]);
  const status: Status = {
    topic,
    groupId,
    partitions: [...partitions].sort((a, b) => a - b).map((partition) => {
      const row = stored.get(partition);
      return {
        partition,
        storedOffset: row?.nextOffset ?? null,
        log: log.ranges.get(partition) ?? null,
        unavailable: log.unavailable.get(partition) ?? null,
        maxEventTimeMs: row?.maxEventTimeMs ?? null,
        committedAtMs: row?.committedAtMs ?? null,
        caughtUpAtMs: row?.caughtUpAtMs ?? null,
      };
    }),
    members: kafka?.members ?? null,
    workers: await workersWithSessions(connection),
    watermarkMs,
    closedUpToMs,
    output: outputTopic === undefined
      ? null
      : { topic: outputTopic, ...await outboxStatus(connection) },
    deadLetters: await deadLettersByReason(connection),
    findings,
  };
  return { status, problems: problemsOf(status, nowMs) };
}

async function askKafka(config: Config, connection: Connection): Promise<{
  readonly log: LogView;
  /** Null if the group's coordinator does not tell. */
  readonly members: readonly GroupMember[] | null;
  /** How the settings differ from those of the counts, and what keeps closed windows from being published. */
  readonly findings: readonly string[];
}> {
  const client = await createKafka(config.kafka);
  await using cluster = new KafkaCluster(client, config.kafka);
  const claim = claimOf(config, await kafkaOrigin(cluster));
  const { outputTopic } = config;
  const findings = [
    await comparePipeline(connection, claim).then(() => [], describe),
    outputTopic === undefined
      ? []
      : await new KafkaOutput(client, config.kafka, outputTopic).assertTopic()
        .then(() => [], describe),
  ].flat();
  const members = await cluster.groupMembers().catch((error) => {
    findings.push(describe(error));
    return null;
  });
  return { log: await cluster.viewLog(), members, findings };
}

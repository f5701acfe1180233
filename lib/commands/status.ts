/**
 * `status`: how far the pipeline is, who counts, and what needs a person. Changes nothing.
 * @module
 */

import { groupDigits } from "../core/amount.ts";
import type { Config } from "../core/config.ts";
import { describe } from "../core/failure.ts";
import type { LogRange } from "../core/log_range.ts";
import { type GroupMember, lagOf, problemsOf, type Status } from "../core/status.ts";
import { textTable, utcTime } from "../core/text_table.ts";
import { createKafka, KafkaCluster } from "../io/kafka/client.ts";
import { Connection } from "../io/postgres/connection.ts";
import { comparePipeline } from "../io/postgres/identity.ts";
import { assertUpToDate } from "../io/postgres/migrate.ts";
import {
  deadLettersByReason,
  eventTimeStatus,
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
  const { topic, groupId } = config.kafka;
  const findings: string[] = [];
  const kafka = await askKafka(config, connection).catch((error) => {
    findings.push(describe(error));
    return null;
  });
  if (kafka?.finding) findings.push(kafka.finding);
  const stored = new Map(
    (await storedPartitions(connection, topic)).map((row) => [row.partition, row]),
  );
  const { watermarkMs, closedUpToMs, nowMs } = await eventTimeStatus(connection);
  const partitions = new Set([...stored.keys(), ...kafka?.ranges.keys() ?? []]);
  const status: Status = {
    topic,
    groupId,
    partitions: [...partitions].sort((a, b) => a - b).map((partition) => {
      const row = stored.get(partition);
      return {
        partition,
        storedOffset: row?.nextOffset ?? null,
        log: kafka?.ranges.get(partition) ?? null,
        maxEventTimeMs: row?.maxEventTimeMs ?? null,
        committedAtMs: row?.committedAtMs ?? null,
        caughtUpAtMs: row?.caughtUpAtMs ?? null,
      };
    }),
    members: kafka?.members ?? null,
    workers: await workersWithSessions(connection),
    watermarkMs,
    closedUpToMs,
    deadLetters: await deadLettersByReason(connection),
    findings,
  };
  return { status, problems: problemsOf(status, nowMs) };
}

async function askKafka(config: Config, connection: Connection): Promise<{
  readonly ranges: ReadonlyMap<number, LogRange>;
  readonly members: readonly GroupMember[];
  /** How the settings differ from those of the counts. */
  readonly finding: string | null;
}> {
  await using cluster = new KafkaCluster(await createKafka(config.kafka), config.kafka);
  const claim = claimOf(config, await kafkaOrigin(cluster));
  const finding = await comparePipeline(connection, claim).then(() => null, describe);
  return {
    ranges: await cluster.logRanges(),
    members: await cluster.groupMembers(),
    finding,
  };
}

/** Lines for people. */
export function statusLines({ status, problems }: StatusReport): string[] {
  return [
    `Topic ${status.topic}, group ${status.groupId}`,
    "",
    ...partitionLines(status),
    "",
    ...workerLines(status),
    "",
    status.closedUpToMs === null
      ? "Closed windows: none yet"
      : `Closed windows: those up to ${utcTime(status.closedUpToMs)}`,
    "",
    ...deadLetterLines(status),
    "",
    ...problems.length === 0 ? ["Nothing needs a person."] : [
      "Needs a person:",
      ...problems.map((problem) => `- ${problem}`),
    ],
  ];
}

function partitionLines({ partitions }: Status): string[] {
  return textTable(
    [
      { title: "partition", isNumber: true },
      { title: "stored offset", isNumber: true },
      { title: "end offset", isNumber: true },
      { title: "lag", isNumber: true },
      { title: "watermark" },
      { title: "last commit" },
    ],
    partitions.map((partition) => [
      String(partition.partition),
      partition.storedOffset === null ? "–" : groupDigits(partition.storedOffset),
      partition.log === null ? "–" : groupDigits(partition.log.endOffset),
      lagOf(partition) === null ? "–" : groupDigits(lagOf(partition)!),
      timeOf(partition.maxEventTimeMs),
      timeOf(partition.committedAtMs),
    ]),
  );
}

function workerLines({ members, workers }: Status): string[] {
  return [
    members === null ? "Group members: unknown" : `Group members: ${members.length || "none"}`,
    ...(members ?? []).map(({ host, partitions }) =>
      `  on ${host}, ${
        partitions.length === 0
          ? "standing by"
          : `partitions ${[...partitions].sort((a, b) => a - b).join(", ")}`
      }`
    ),
    `Workers with a session in PostgreSQL: ${workers.length || "none"}`,
    ...workers.map(({ id, host, startedMs }) =>
      `  ${id}${host === null ? "" : ` on ${host}, since ${timeOf(startedMs)}`}`
    ),
  ];
}

function deadLetterLines({ deadLetters }: Status): string[] {
  if (deadLetters.length === 0) return ["Dead letters: none"];
  return textTable(
    [
      { title: "dead letters", isNumber: true },
      { title: "replayed", isNumber: true },
      { title: "reason" },
    ],
    deadLetters.map((
      { reason, records, replayed },
    ) => [groupDigits(records), groupDigits(replayed), reason]),
  );
}

/** For programs: times in ISO 8601. */
export function statusJson({ status, problems }: StatusReport): string {
  const { findings: _, ...rest } = status;
  return JSON.stringify(
    {
      ...rest,
      watermarkMs: undefined,
      closedUpToMs: undefined,
      watermark: isoTime(status.watermarkMs),
      closedUpTo: isoTime(status.closedUpToMs),
      partitions: status.partitions.map((partition) => ({
        partition: partition.partition,
        storedOffset: partition.storedOffset,
        startOffset: partition.log?.startOffset ?? null,
        endOffset: partition.log?.endOffset ?? null,
        lag: lagOf(partition),
        watermark: isoTime(partition.maxEventTimeMs),
        committedAt: isoTime(partition.committedAtMs),
        caughtUpAt: isoTime(partition.caughtUpAtMs),
      })),
      workers: status.workers.map(({ startedMs, ...worker }) => ({
        ...worker,
        startedAt: isoTime(startedMs),
      })),
      problems,
    },
    null,
    2,
  );
}

function timeOf(timeMs: number | null): string {
  return timeMs === null ? "–" : utcTime(timeMs);
}

function isoTime(timeMs: number | null): string | null {
  return timeMs === null ? null : new Date(timeMs).toISOString();
}

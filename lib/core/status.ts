/**
 * How the pipeline is, and what about it needs a person.
 * @module
 */

import { type LogRange, unavailableText } from "./log_range.ts";

/** One partition, as the database and Kafka have it. */
export interface PartitionStatus {
  readonly partition: number;
  /** Null if nothing of it was counted yet. */
  readonly storedOffset: number | null;
  /** Null if Kafka is away, does not have the partition, or cannot read it right now. */
  readonly log: LogRange | null;
  /** Why Kafka cannot read it right now, or null. */
  readonly unavailable: string | null;
  /** Greatest event time counted. */
  readonly maxEventTimeMs: number | null;
  /** When the stored offset was last moved. */
  readonly committedAtMs: number | null;
  /** When the stored offset was last known to be the end. */
  readonly caughtUpAtMs: number | null;
}

/** Who counts: members of the group, and workers with a session in the database. */
export interface WorkerStatus {
  readonly id: string;
  /** Null if the database does not know it. */
  readonly host: string | null;
  readonly startedMs: number | null;
  /** Sessions in the database. */
  readonly sessions: number;
}

export interface GroupMember {
  readonly id: string;
  readonly host: string;
  readonly partitions: readonly number[];
}

/** Dead letters of one reason. */
export interface DeadLetterStatus {
  readonly reason: string;
  readonly records: number;
  /** Those among them that were counted after all. */
  readonly replayed: number;
}

/** How far closed windows are published. */
export interface OutputStatus {
  readonly topic: string;
  /** Windows that start before it were handed to the publisher; null as long as none was. */
  readonly handedOverToMs: number | null;
  /** Counts that the broker has not acknowledged yet. */
  readonly waiting: number;
}

export interface Status {
  readonly topic: string;
  readonly groupId: string;
  readonly partitions: readonly PartitionStatus[];
  /** Null if Kafka is away. */
  readonly members: readonly GroupMember[] | null;
  readonly workers: readonly WorkerStatus[];
  readonly watermarkMs: number | null;
  /** Windows that end before or at it are closed; null as long as none is. */
  readonly closedUpToMs: number | null;
  /** Null if closed windows are not published. */
  readonly output: OutputStatus | null;
  readonly deadLetters: readonly DeadLetterStatus[];
  /** What was found besides: a system that is away, settings that differ. */
  readonly findings: readonly string[];
}

/** A partition that stands still for this long, with something to read, does not work. */
const STANDSTILL_MS = 60_000;

/** Records between the stored offset and the end; null if one of them is not known. */
export function lagOf({ storedOffset, log }: PartitionStatus): number | null {
  if (log === null) return null;
  return Math.max(0, log.endOffset - Math.max(storedOffset ?? log.startOffset, log.startOffset));
}

/** Everything that needs a person, in sentences. */
export function problemsOf(status: Status, nowMs: number): string[] {
  const { partitions, members } = status;
  const lag = partitions.reduce((sum, partition) => sum + (lagOf(partition) ?? 0), 0);
  const isKafkaKnown = members !== null;
  const hasWorker = !isKafkaKnown || members.length > 0;
  const unavailable = new Map(
    partitions.flatMap(({ partition, unavailable }) =>
      unavailable === null ? [] : [[partition, unavailable]]
    ),
  );
  return [
    ...status.findings,
    ...unavailable.size > 0
      ? [`Cannot read all of the topic: ${unavailableText(unavailable)}`]
      : [],
    ...lag > 0 && !hasWorker
      ? [
        `${lag} records wait to be counted, but no worker is in the group ${status.groupId}. Start one`,
      ]
      : [],
    ...partitions.flatMap((partition) =>
      partitionProblem(partition, { isKafkaKnown, hasWorker, nowMs }) ?? []
    ),
  ];
}

function partitionProblem(
  status: PartitionStatus,
  { isKafkaKnown, hasWorker, nowMs }: {
    readonly isKafkaKnown: boolean;
    readonly hasWorker: boolean;
    readonly nowMs: number;
  },
): string | null {
  const { partition, storedOffset, log, unavailable, committedAtMs, caughtUpAtMs } = status;
  if (unavailable !== null) return null; // said once for all of them
  if (storedOffset === null) return null;
  if (log === null) {
    return isKafkaKnown
      ? `partition ${partition}: it was counted up to offset ${storedOffset}, but the topic does not ` +
        "have it any more. It is not the log that was counted"
      : null;
  }
  if (storedOffset < log.startOffset) {
    return `partition ${partition}: Kafka has deleted ${log.startOffset - storedOffset} offsets ` +
      `before they were counted (stored ${storedOffset}, the log starts at ${log.startOffset}). See ON_DATA_LOSS`;
  }
  if (storedOffset > log.endOffset) {
    return `partition ${partition}: it was counted up to offset ${storedOffset}, but the log ends ` +
      `at ${log.endOffset}. It is not the log that was counted`;
  }
  const movedAtMs = Math.max(committedAtMs ?? 0, caughtUpAtMs ?? 0);
  if (hasWorker && lagOf(status)! > 0 && nowMs - movedAtMs > STANDSTILL_MS) {
    return `partition ${partition}: ${lagOf(status)} records wait, and nothing was committed for ` +
      `${Math.floor((nowMs - movedAtMs) / 1000)} s. Look at the workers' logs`;
  }
  return null;
}

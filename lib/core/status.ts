/**
 * How the pipeline is, and what about it needs a person.
 * @module
 */

import {
  describeUncounted,
  type Group,
  type UncountedPartition,
  type WorkerStatus,
} from "./coverage.ts";
import type { LogRange } from "./log_range.ts";

/** One partition, as the database and Kafka have it. */
export interface PartitionStatus {
  readonly partition: number;
  /** Null if nothing of it was counted yet. */
  readonly storedOffset: number | null;
  /** Null if Kafka is away, or does not have the partition. */
  readonly log: LogRange | null;
  /** Greatest event time counted. */
  readonly maxEventTimeMs: number | null;
  /** When the stored offset was last moved. */
  readonly committedAtMs: number | null;
  /** When the stored offset was last known to be the end. */
  readonly caughtUpAtMs: number | null;
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
  readonly group: Group | null;
  readonly workers: readonly WorkerStatus[];
  /** Partitions that no worker counts at this moment; empty if Kafka is away. */
  readonly uncounted: readonly UncountedPartition[];
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
  const { partitions, groupId } = status;
  const lags = new Map(partitions.map((each) => [each.partition, lagOf(each) ?? 0]));
  const lag = [...lags.values()].reduce((sum, records) => sum + records, 0);
  const startsMs = status.workers.filter(({ isAlive }) => isAlive).map(({ startedMs }) =>
    startedMs
  );
  const workingSinceMs = startsMs.length === 0 ? null : Math.min(...startsMs);
  const uncounted = lastingGaps(status);
  const gaps = new Set(uncounted.map(({ partition }) => partition));
  return [
    ...status.findings,
    ...lag > 0 && workingSinceMs === null
      ? [
        `${lag} records wait to be counted, but no worker is in the group ${groupId}. Start one`,
      ]
      : [],
    ...describeUncounted(uncounted, { groupId, lags }),
    ...partitions.flatMap((partition) =>
      partitionProblem(partition, {
        isKafkaKnown: status.group !== null,
        isGap: gaps.has(partition.partition),
        workingSinceMs,
        nowMs,
      }) ?? []
    ),
  ];
}

/** Those among the uncounted partitions that cannot be only about to be shared out or read. */
export function lastingGaps(
  { uncounted, group, workers }: Pick<Status, "uncounted" | "group" | "workers">,
): UncountedPartition[] {
  const isShared = group !== null && group.isSettled && workers.some(({ isAlive }) => isAlive);
  return uncounted.filter(({ reason }) =>
    reason !== "not_read" && (reason !== "nobody" || isShared)
  );
}

function partitionProblem(
  status: PartitionStatus,
  { isKafkaKnown, isGap, workingSinceMs, nowMs }: {
    readonly isKafkaKnown: boolean;
    /** It is told already that nobody counts it. */
    readonly isGap: boolean;
    /** Since when there is a worker; null if there is none. */
    readonly workingSinceMs: number | null;
    readonly nowMs: number;
  },
): string | null {
  const { partition, storedOffset, log, committedAtMs, caughtUpAtMs } = status;
  if (log === null) {
    return isKafkaKnown && !isGap && storedOffset !== null
      ? `partition ${partition}: it was counted up to offset ${storedOffset}, but the topic does not ` +
        "have it any more. It is not the log that was counted"
      : null;
  }
  if (storedOffset !== null && storedOffset < log.startOffset) {
    return `partition ${partition}: Kafka has deleted ${log.startOffset - storedOffset} offsets ` +
      `before they were counted (stored ${storedOffset}, the log starts at ${log.startOffset}). See ON_DATA_LOSS`;
  }
  if (storedOffset !== null && storedOffset > log.endOffset) {
    return `partition ${partition}: it was counted up to offset ${storedOffset}, but the log ends ` +
      `at ${log.endOffset}. It is not the log that was counted`;
  }
  if (isGap || workingSinceMs === null || lagOf(status) === 0) return null;
  const movedAtMs = Math.max(committedAtMs ?? 0, caughtUpAtMs ?? 0, workingSinceMs);
  if (nowMs - movedAtMs <= STANDSTILL_MS) return null;
  return `partition ${partition}: ${lagOf(status)} records wait, and ` +
    (storedOffset === null ? "none was counted yet" : "nothing was committed") +
    ` for ${Math.floor((nowMs - movedAtMs) / 1000)} s. Look at the workers' logs`;
}

/**
 * The state of the pipeline, and which problems need attention.
 * @module
 */

import type { AuditNote } from "../audit/audit_note.ts";
import {
  describeUncounted,
  type Group,
  type UncountedPartition,
  type WorkerStatus,
} from "../offsets/coverage.ts";
import { lagOf, type LogRange } from "../offsets/log_range.ts";
import { unavailableText } from "../offsets/partition_names.ts";
import { plural } from "../text/numbers.ts";
import { utcTime } from "../text/time.ts";
import { booksProblem } from "./books.ts";
import type { QuietLotteries } from "./quiet.ts";

/** One partition, as the database and Kafka have it. */
export interface PartitionStatus {
  readonly partition: number;
  /** Null if nothing of it was counted yet. */
  readonly storedOffset: number | null;
  /** Null if Kafka is away, does not have the partition, or cannot read it right now. */
  readonly log: LogRange | null;
  /** Why Kafka cannot read it right now, or null. */
  readonly unavailable: string | null;
  readonly maxEventTimeMs: number | null;
  readonly committedAtMs: number | null;
  /** When the stored offset was last known to be the end. */
  readonly caughtUpAtMs: number | null;
}

export interface DeadLetterStatus {
  readonly reason: string;
  readonly records: number;
  /** Those among them that were counted after all. */
  readonly replayed: number;
}

export interface OutputStatus {
  readonly topic: string;
  /** Windows that start before it were handed to the publisher; null if none was. */
  readonly handedOverToMs: number | null;
  /** Counts that the broker has not acknowledged yet. */
  readonly waiting: number;
}

/** How far each partition is counted, and by whom. */
export interface Coverage {
  readonly partitions: readonly PartitionStatus[];
  /** Null if Kafka is away. */
  readonly group: Group | null;
  readonly workers: readonly WorkerStatus[];
  /** Partitions that no worker counts at this moment; empty if Kafka is away. */
  readonly uncounted: readonly UncountedPartition[];
}

export interface Status extends Coverage {
  readonly topic: string;
  readonly groupId: string;
  /** Records may be gone before they are read. */
  readonly isCompacted: boolean;
  readonly watermarkMs: number | null;
  /** Windows that end before or at it are closed; null if none is. */
  readonly closedUpToMs: number | null;
  /** Null if closed windows are not published. */
  readonly output: OutputStatus | null;
  readonly deadLetters: readonly DeadLetterStatus[];
  /** The newest round of `audit --watch`; null if there was none. */
  readonly audit: AuditNote | null;
  /** Events that were counted and are not in the hours; null if it is not known. */
  readonly booksDifference: number | null;
  readonly quiet: QuietLotteries;
  /** Other problems: a system that is away, settings that differ. */
  readonly findings: readonly string[];
}

/** A partition that has not moved for this long, with something to read, is stalled. */
const STALL_MS = 60_000;

/** Records between the stored offset and the end; null if one of them is not known. */
export function lagBehind({ storedOffset, log }: PartitionStatus): number | null {
  return log && lagOf(storedOffset, log);
}

/** Records waiting to be counted, as far as it is known. */
export function recordsWaiting({ partitions }: Pick<Coverage, "partitions">): number {
  return partitions.reduce((sum, partition) => sum + (lagBehind(partition) ?? 0), 0);
}

/** Every problem that needs attention, in a sentence. */
export function problemsOf(status: Status, nowMs: number): string[] {
  const { partitions, workers, groupId } = status;
  const waiting = recordsWaiting(status);
  const gaps = new Set(blockingGaps(status).map(({ partition }) => partition));
  const unavailable = new Map(
    partitions.flatMap(({ partition, unavailable }) =>
      unavailable === null || gaps.has(partition) ? [] : [[partition, unavailable]]
    ),
  );
  return [
    ...status.findings,
    ...unavailable.size > 0
      ? [`Cannot read all of the topic: ${unavailableText(unavailable)}`]
      : [],
    ...waiting > 0 && !workers.some(({ isAlive }) => isAlive)
      ? [
        `${plural(waiting, "record is", "records are")} waiting to be counted, ` +
        `but the group ${groupId} has no worker. Start one`,
      ]
      : [],
    ...coverageProblems(status, { groupId, nowMs }),
    ...partitions.filter(({ partition, log }) =>
      log !== null || (status.group !== null && !gaps.has(partition))
    ).flatMap((partition) => logProblem(partition) ?? []),
    ...auditProblem(status.audit) ?? [],
    ...status.booksDifference ? [booksProblem(status.booksDifference)] : [],
  ];
}

function auditProblem(audit: AuditNote | null): string[] | null {
  if (audit?.verdict !== "wrong") return null;
  const { atMs, wrong, firstWrong: [first] } = audit;
  return [
    `The last audit, at ${utcTime(atMs)}, found ${plural(wrong, "difference")}` +
    `${first === undefined ? "" : `: ${first}`}. \`audit\` names all of them`,
  ];
}

/** Partitions that no worker counts, or that do not move although one has them. */
export function coverageProblems(
  coverage: Coverage,
  { groupId, nowMs }: { readonly groupId: string; readonly nowMs: number },
): string[] {
  const { partitions, workers } = coverage;
  const uncounted = blockingGaps(coverage);
  const gaps = new Set(uncounted.map(({ partition }) => partition));
  const running = workers.filter(({ isAlive }) => isAlive);
  const workingSinceMs = running.reduce((ms, each) => Math.min(ms, each.startedMs), Infinity);
  const lags = new Map(partitions.map((each) => [each.partition, lagBehind(each) ?? 0]));
  return [
    ...describeUncounted(uncounted, { groupId, lags }),
    ...running.length === 0
      ? []
      : partitions.filter(({ partition }) => !gaps.has(partition)).flatMap((partition) =>
        stallProblem(partition, { workingSinceMs, nowMs }) ?? []
      ),
  ];
}

/** Those among the uncounted partitions that are not merely about to be assigned or read. */
function blockingGaps({ uncounted, group, workers }: Coverage): UncountedPartition[] {
  const isShared = group !== null && group.isSettled && workers.some(({ isAlive }) => isAlive);
  return uncounted.filter(({ reason }) => {
    if (reason === "not_read") return false;
    return isShared || (reason !== "nobody" && reason !== "unknown");
  });
}

function stallProblem(
  partition: PartitionStatus,
  { workingSinceMs, nowMs }: { readonly workingSinceMs: number; readonly nowMs: number },
): string | null {
  const { storedOffset, committedAtMs, caughtUpAtMs } = partition;
  const lag = lagBehind(partition) ?? 0;
  // Times in the future are those of a clock that was ahead: they say nothing.
  const movedAtMs = [committedAtMs ?? 0, caughtUpAtMs ?? 0, workingSinceMs]
    .reduce((latest, ms) => ms <= nowMs ? Math.max(latest, ms) : latest, 0);
  if (lag === 0 || movedAtMs === 0 || nowMs - movedAtMs <= STALL_MS) return null;
  return `partition ${partition.partition}: ${
    plural(lag, "record is", "records are")
  } waiting, but ` +
    (storedOffset === null ? "none has been counted" : "nothing has been committed") +
    ` for ${Math.floor((nowMs - movedAtMs) / 1000)} s. Check the workers' logs`;
}

/** Where the stored offset is not within the log. */
function logProblem(
  { partition, storedOffset, log, unavailable }: PartitionStatus,
): string | null {
  if (unavailable !== null) return null; // reported once for all of them
  if (storedOffset === null) return null;
  if (log === null) {
    return `partition ${partition} was counted up to offset ${storedOffset}, but the topic no longer ` +
      "has it. It is not the log that was counted";
  }
  if (storedOffset < log.startOffset) {
    return `partition ${partition}: Kafka has deleted ` +
      `${plural(log.startOffset - storedOffset, "offset")} before they were counted ` +
      `(stored ${storedOffset}, the log starts at ${log.startOffset}). See ON_DATA_LOSS`;
  }
  if (storedOffset > log.endOffset) {
    return `partition ${partition} was counted up to offset ${storedOffset}, but the log ends ` +
      `at ${log.endOffset}. It is not the log that was counted`;
  }
  return null;
}

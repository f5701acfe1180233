/**
 * How the pipeline is, for people and for programs.
 * @module
 */

import { lagOf, type Status } from "../core/status.ts";
import { textTable, utcTime } from "../core/text_table.ts";
import { groupDigits } from "../core/amount.ts";
import type { StatusReport } from "./status.ts";

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
    ...outputLines(status),
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

function outputLines({ output }: Status): string[] {
  if (output === null) return [];
  const { topic, handedOverToMs, waiting } = output;
  return [
    handedOverToMs === null
      ? `Published to ${topic}: none yet`
      : `Published to ${topic}: those up to ${utcTime(handedOverToMs)}` +
        (waiting === 0 ? "" : `, but for ${groupDigits(waiting)} counts that wait`),
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
      output: status.output && {
        topic: status.output.topic,
        handedOverTo: isoTime(status.output.handedOverToMs),
        waiting: status.output.waiting,
      },
      partitions: status.partitions.map((partition) => ({
        partition: partition.partition,
        storedOffset: partition.storedOffset,
        startOffset: partition.log?.startOffset ?? null,
        endOffset: partition.log?.endOffset ?? null,
        lag: lagOf(partition),
        unavailable: partition.unavailable,
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

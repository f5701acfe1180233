/**
 * The state of the pipeline, for people and for programs.
 * @module
 */

import { groupDigits, plural } from "../../core/text/numbers.ts";
import { printable } from "../../core/text/printable.ts";
import { textTable } from "../../core/text/table.ts";
import { isoTime, utcTime } from "../../core/text/time.ts";
import { auditJson, isOverdue, verdictText } from "../../core/views/audit_verdict.ts";
import { quietJson } from "../../core/views/quiet.ts";
import { lagBehind, type Status } from "../../core/views/status.ts";
import { reportJson } from "../cli/json.ts";
import type { StatusReport } from "./status.ts";

export function statusLines({ status, problems, nowMs }: StatusReport): string[] {
  return [
    `Topic ${status.topic}${status.isCompacted ? " (compacted)" : ""}, group ${status.groupId}`,
    "",
    ...partitionLines(status),
    "",
    ...workerLines(status),
    "",
    status.closedUpToMs === null
      ? "Closed windows: none yet"
      : `Closed windows: up to ${utcTime(status.closedUpToMs)}`,
    ...outputLines(status),
    auditLine(status, nowMs),
    ...quietLines(status),
    "",
    ...deadLetterLines(status),
    "",
    ...problems.length === 0 ? ["Nothing needs attention."] : [
      "Needs attention:",
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
      lagBehind(partition) === null ? "–" : groupDigits(lagBehind(partition)!),
      timeOf(partition.maxEventTimeMs),
      timeOf(partition.committedAtMs),
    ]),
  );
}

function workerLines({ group, workers }: Status): string[] {
  const members = group?.members;
  const ids = new Set(workers.map(({ id }) => id));
  return [
    members ? `Group members: ${members.length || "none"}` : "Group members: unknown",
    ...(members ?? []).map(({ clientId, host, partitions }) =>
      `  ${clientId} on ${host}, ${
        partitions.length === 0 ? "standing by" : `partitions ${partitions.join(", ")}`
      }${ids.has(clientId) ? "" : ": not a worker of this database"}`
    ),
    `Workers of this database: ${workers.length || "none"}`,
    ...workers.map(({ id, host, startedMs, seenMs, isAlive }) =>
      `  ${id} on ${host}, ` +
      (isAlive ? `since ${utcTime(startedMs)}` : `not heard from since ${timeOf(seenMs)}`)
    ),
  ];
}

function outputLines({ output }: Status): string[] {
  if (output === null) return [];
  const { topic, handedOverToMs, waiting } = output;
  return [
    handedOverToMs === null
      ? `Published to ${topic}: none yet`
      : `Published to ${topic}: up to ${utcTime(handedOverToMs)}` +
        (waiting === 0 ? "" : `, except ${plural(waiting, "waiting count")}`),
  ];
}

function auditLine({ audit }: Status, nowMs: number): string {
  if (audit === null) return "Last audit: none";
  const overdue = isOverdue(audit, nowMs) ? " (overdue: the next ones are missing)" : "";
  return `Last audit: ${utcTime(audit.atMs)}, ${verdictText(audit)}${overdue}`;
}

function quietLines({ quiet: { total, listed } }: Status): string[] {
  if (total === 0) return ["Quiet lotteries: none"];
  const rest = total - listed.length;
  return [
    `Quiet lotteries: ${total}`,
    ...listed.map(({ lotteryName, eventType, quietSinceMs, events, expected, weeks }) =>
      `  ${printable(lotteryName)}, ${printable(eventType)}, since ${utcTime(quietSinceMs)}: ` +
      `${groupDigits(events)} of ${groupDigits(expected)} expected events, ` +
      `by the last ${weeks === 1 ? "week" : `${weeks} weeks`}`
    ),
    ...rest === 0 ? [] : [`  and ${rest} more`],
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
export function statusJson({ status, problems, nowMs }: StatusReport): string {
  const { findings: _, group, ...rest } = status;
  return reportJson({
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
    audit: status.audit && auditJson(status.audit, nowMs),
    quiet: status.quiet.listed.map(quietJson),
    quietLotteries: status.quiet.total,
    partitions: status.partitions.map((partition) => ({
      partition: partition.partition,
      storedOffset: partition.storedOffset,
      startOffset: partition.log?.startOffset ?? null,
      endOffset: partition.log?.endOffset ?? null,
      lag: lagBehind(partition),
      unavailable: partition.unavailable,
      watermark: isoTime(partition.maxEventTimeMs),
      committedAt: isoTime(partition.committedAtMs),
      caughtUpAt: isoTime(partition.caughtUpAtMs),
    })),
    members: group?.members ?? null,
    workers: status.workers.map(({ startedMs, seenMs, ...worker }) => ({
      ...worker,
      startedAt: isoTime(startedMs),
      seenAt: isoTime(seenMs),
    })),
    problems,
  });
}

function timeOf(timeMs: number | null): string {
  return timeMs === null ? "–" : utcTime(timeMs);
}

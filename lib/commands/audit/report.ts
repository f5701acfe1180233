/**
 * What an audit has found, for people and for programs.
 * @module
 */

import type { AuditReport } from "../../core/audit/audit.ts";
import type { HourDifference } from "../../core/audit/hour_audit.ts";
import type { LedgerDifference, LedgerTotals } from "../../core/audit/ledger_totals.ts";
import type { RowDifference, Tallies } from "../../core/audit/row_audit.ts";
import { groupDigits, plural } from "../../core/text/numbers.ts";
import { printable } from "../../core/text/printable.ts";
import { type Column, textTable } from "../../core/text/table.ts";
import { isoTime, utcTime } from "../../core/text/time.ts";
import { reportJson } from "../cli/json.ts";

/** Lines for people; of each kind of difference at most `limit` are shown. */
export function auditLines(report: AuditReport, limit: number): string[] {
  const { ledger, rows, hours, deadLetters } = report;
  const differs = (name: LedgerDifference["sum"]) =>
    report.ledgerDifferences.some(({ sum }) => sum === name);
  return [
    `Recounted ${plural(report.records, "record")} from Kafka.`,
    ...report.fromMs === null ? [] : [
      `Judged are windows that start at or after ${
        utcTime(report.fromMs)
      }. Of those before, rows ` +
      "are compared with their hours and the ledger.",
    ],
    "",
    ...textTable([
      { title: "" },
      { title: "agree", isNumber: true },
      { title: "wrong", isNumber: true },
      { title: "not provable", isNumber: true },
    ], [
      ["rows of counts", ...cells(rows)],
      ["hours", ...cells(hours)],
      ["dead letters", ...cells(deadLetters)],
    ]),
    `ledger: ${groupDigits(ledger.counted)} counted + ${groupDigits(ledger.dead)} dead = ` +
    `${plural(ledger.counted + ledger.dead, "record")} read`,
    `in the tables: ${plural(ledger.events, "event")} and ` +
    `${plural(ledger.deadLetters, "dead letter")}${changesSince(ledger)}` +
    (differs("events in rows of counts") || differs("dead letters") ? ": WRONG" : ""),
    `in the hours: ${plural(ledger.hourEvents, "event")}${changesOfHours(ledger)}` +
    (differs("events in hours") ? ": WRONG" : ""),
    ...hours.notProvable > 0
      ? ["Hours that are not provable are those whose minutes are deleted: the ledger covers them."]
      : [],
    ...imbalanceLines(report),
    ...rowLines(report, limit),
    ...hourLines(report, limit),
    ...deadLetterLines(report, limit),
    ...partitionLines(report, limit),
    "",
    ...problemLines(report),
    verdictLine(report),
  ];
}

/** What else became of records that were read, if anything. */
function changesSince({ replayedLetters, deletedEvents, deletedLetters }: LedgerTotals): string {
  const changes = [
    ...replayedLetters > 0 ? [`replaying ${plural(replayedLetters, "dead letter")}`] : [],
    ...deletedEvents + deletedLetters > 0
      ? [
        `deleting ${plural(deletedEvents, "event")} and ${plural(deletedLetters, "dead letter")} ` +
        "because of their age",
      ]
      : [],
  ];
  return changes.length === 0 ? "" : `, after ${changes.join(" and ")}`;
}

/** Why the events in the hours may be others than those in the tables. */
function changesOfHours({ deletedHourEvents, eventsNotInHours }: LedgerTotals): string {
  const changes = [
    ...deletedHourEvents > 0
      ? [`after deleting ${plural(deletedHourEvents, "event")} because of their age`]
      : [],
    ...eventsNotInHours > 0
      ? [`before ${plural(eventsNotInHours, "older event")} that workers have yet to put there`]
      : [],
  ];
  return changes.length === 0 ? "" : `, ${changes.join(", and ")}`;
}

function imbalanceLines({ ledgerDifferences }: AuditReport): string[] {
  return section("Wrong sums", {
    columns: [
      { title: "sum of" },
      { title: "stored", isNumber: true },
      { title: "by the ledger", isNumber: true },
    ],
    rows: ledgerDifferences.map(({ sum, stored, expected }) => [
      sum,
      groupDigits(stored),
      groupDigits(expected),
    ]),
    total: ledgerDifferences.length,
  });
}

/** For programs: times in ISO 8601, at most `limit` differences of each kind. */
export function auditJson(report: AuditReport, limit: number): string {
  const { provableAfterMs, atMs, fromMs, toMs } = report;
  return reportJson({
    ...report,
    ...{ provableAfterMs: undefined, atMs: undefined, fromMs: undefined, toMs: undefined },
    at: isoTime(atMs),
    from: fromMs === null ? null : isoTime(fromMs),
    to: toMs === null ? null : isoTime(toMs),
    provableAfter: provableAfterMs === -Infinity ? null : isoTime(provableAfterMs),
    rowDifferences: report.rowDifferences.slice(0, limit).map((
      { windowStartMs, ...difference },
    ) => ({ windowStart: isoTime(windowStartMs), ...difference })),
    hourDifferences: report.hourDifferences.map((
      { hourStartMs, ...difference },
    ) => ({ hourStart: isoTime(hourStartMs), ...difference })),
    deadLetterDifferences: report.deadLetterDifferences.slice(0, limit),
    partitionDifferences: report.partitionDifferences.slice(0, limit),
  });
}

function rowLines({ rowDifferences }: AuditReport, limit: number): string[] {
  return section("Wrong rows of counts", {
    columns: [
      { title: "window start" },
      { title: "lottery" },
      { title: "type" },
      { title: "stored", isNumber: true },
      { title: "recounted", isNumber: true },
      { title: "" },
    ],
    rows: rowDifferences.slice(0, limit).map((row) => [
      utcTime(row.windowStartMs),
      printable(row.lotteryName),
      printable(row.eventType),
      countOf(row.stored),
      countOf(row.recounted),
      remark(row),
    ]),
    total: rowDifferences.length,
  });
}

function remark({ stored, recounted, isPartial, hasWrongEnd }: RowDifference): string {
  if (hasWrongEnd) return "window_end is wrong";
  if (isPartial) return "too few, even without the deleted records";
  if (stored === null) return "missing";
  return recounted === null ? "should not exist" : "";
}

function hourLines({ hourDifferences, hours, rows }: AuditReport, limit: number): string[] {
  if (hours.wrong === 0) return [];
  return [
    ...section("Wrong hours", {
      columns: [
        { title: "hour start" },
        { title: "lottery" },
        { title: "type" },
        { title: "stored", isNumber: true },
        { title: "sum of its minutes", isNumber: true },
        { title: "" },
      ],
      rows: hourDifferences.slice(0, limit).map((hour) => [
        utcTime(hour.hourStartMs),
        printable(hour.lotteryName),
        printable(hour.eventType),
        countOf(hour.stored),
        countOf(hour.ofMinutes),
        hourRemark(hour),
      ]),
      total: hours.wrong,
    }),
    rows.wrong > 0
      ? "  Rows of counts are wrong as well: as long as they are, hours that differ from them may be right."
      : "  `call rebuild_hours()` in PostgreSQL makes them again from their minutes, while workers run.",
  ];
}

function hourRemark({ stored, ofMinutes }: HourDifference): string {
  if (stored === null) return "missing";
  return ofMinutes === null ? "should not exist" : "";
}

function deadLetterLines({ deadLetterDifferences }: AuditReport, limit: number): string[] {
  return section("Wrong dead letters", {
    columns: [
      { title: "partition", isNumber: true },
      { title: "offset", isNumber: true },
      { title: "stored" },
      { title: "recounted" },
    ],
    rows: deadLetterDifferences.slice(0, limit).map((letter) => [
      String(letter.partition),
      String(letter.offset),
      letter.stored ?? "missing",
      letter.recounted ?? "should not exist",
    ]),
    total: deadLetterDifferences.length,
  });
}

function partitionLines({ partitionDifferences }: AuditReport, limit: number): string[] {
  return section("Partitions with wrong counters", {
    columns: ["partition", "since offset", "up to", "counted", "recounted", "dead", "found"]
      .map((title) => ({ title, isNumber: true })),
    rows: partitionDifferences.slice(0, limit).map((
      { partition, fromOffset, toOffset, stored, recounted },
    ) =>
      [
        partition,
        fromOffset,
        toOffset,
        stored.counted,
        recounted.counted,
        stored.dead,
        recounted.dead,
      ].map(String)
    ),
    total: partitionDifferences.length,
  });
}

function section(
  title: string,
  { columns, rows, total }: {
    readonly columns: readonly Column[];
    readonly rows: readonly (readonly string[])[];
    /** Number of all; `rows` are those shown. */
    readonly total: number;
  },
): string[] {
  if (total === 0) return [];
  const left = total - rows.length;
  return [
    "",
    `${title}:`,
    ...textTable(columns, rows).map((line) => `  ${line}`),
    ...left > 0 ? [`  and ${groupDigits(left)} more (see --limit)`] : [],
  ];
}

function problemLines({ problems, recordsWaiting, hasWorkers }: AuditReport): string[] {
  if (problems.length > 0) {
    return ["Not everything is counted:", ...problems.map((problem) => `- ${problem}`), ""];
  }
  return hasWorkers || recordsWaiting === 0 ? [] : [
    `${plural(recordsWaiting, "record is", "records are")} not counted yet: no worker is running.`,
  ];
}

function verdictLine(
  { verdict, fromMs, provableAfterMs, rows, deadLetters }: AuditReport,
): string {
  if (verdict === "agrees") {
    return fromMs === null
      ? "Everything agrees."
      : `Everything since ${utcTime(fromMs)} agrees, and what is before it adds up.`;
  }
  if (verdict === "wrong") {
    return "WRONG: the tables do not match the topic.";
  }
  if (verdict === "incomplete") {
    return "INCOMPLETE: what was counted agrees, as far as it can be recounted.";
  }
  const where = provableAfterMs === -Infinity
    ? ""
    : `, those of windows up to ${utcTime(provableAfterMs)}`;
  return `All that can be recounted agrees. ${plural(rows.notProvable, "row")} and ` +
    `${plural(deadLetters.notProvable, "dead letter")} cannot be proved: some of their ` +
    `records are no longer in the log${where}.`;
}

function cells({ agreeing, wrong, notProvable }: Tallies): string[] {
  return [agreeing, wrong, notProvable].map(groupDigits);
}

function countOf(count: number | null): string {
  return count === null ? "–" : groupDigits(count);
}

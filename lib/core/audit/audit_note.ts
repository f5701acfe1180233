/**
 * What is kept of an audit: its numbers, and the first of what is wrong, in sentences.
 * @module
 */

import { groupDigits, plural } from "../text/numbers.ts";
import { printable } from "../text/printable.ts";
import { utcTime } from "../text/time.ts";
import type { AuditReport, Verdict } from "./audit.ts";
import type { HourDifference } from "./hour_audit.ts";
import type { LedgerDifference } from "./ledger_totals.ts";
import type { DeadLetterDifference, PartitionDifference } from "./partition_audit.ts";
import type { RowDifference } from "./row_audit.ts";

/** A row of the table `audits`. */
export interface AuditNote {
  /** When the tables were as they were compared, by the database's clock. */
  readonly atMs: number;
  /** Rows of windows that start in [fromMs, toMs) were recounted; null `fromMs`: all that can be. */
  readonly fromMs: number | null;
  readonly toMs: number | null;
  /** Records that were read again. */
  readonly records: number;
  /** Rows of counts, hours and dead letters that agree. */
  readonly rows: number;
  /** Rows, hours, dead letters, partitions and sums that are wrong. */
  readonly wrong: number;
  /** Rows and dead letters whose records are no longer in the log. */
  readonly notProvable: number;
  /** How long it took. */
  readonly seconds: number;
  readonly verdict: Verdict;
  /** The first of what is wrong or not counted, a sentence each. */
  readonly firstWrong: readonly string[];
  /** How long after it the next round begins. */
  readonly roundMs: number;
}

/** How many sentences a note has at most. */
export const MAX_SENTENCES = 20;

export function noteOf(
  report: AuditReport,
  { seconds, roundMs }: Pick<AuditNote, "seconds" | "roundMs">,
): AuditNote {
  const { atMs, fromMs, toMs, records, verdict, rows, hours, deadLetters } = report;
  const { partitionDifferences, ledgerDifferences } = report;
  return {
    ...{ atMs, fromMs, toMs, records, verdict, seconds, roundMs },
    rows: rows.agreeing + hours.agreeing + deadLetters.agreeing,
    wrong: rows.wrong + hours.wrong + deadLetters.wrong + partitionDifferences.length +
      ledgerDifferences.length,
    notProvable: rows.notProvable + deadLetters.notProvable,
    firstWrong: firstWrong(report),
  };
}

function firstWrong(report: AuditReport): string[] {
  const kinds = [
    sentences(report.rowDifferences, rowSentence),
    sentences(report.hourDifferences, hourSentence),
    sentences(report.deadLetterDifferences, letterSentence),
    sentences(report.partitionDifferences, partitionSentence),
    sentences(report.ledgerDifferences, sumSentence),
    sentences(report.problems, (problem) => problem),
  ];
  // The first of each kind, then the second: a thousand wrong rows must not hide a wrong letter.
  return kinds
    .flatMap((ofKind, kind) => ofKind.map((text, at) => ({ text, at, kind })))
    .sort((a, b) => a.at - b.at || a.kind - b.kind)
    .slice(0, MAX_SENTENCES)
    .sort((a, b) => a.kind - b.kind || a.at - b.at)
    .map(({ text }) => printable(text));
}

function sentences<T>(differences: readonly T[], sentence: (difference: T) => string): string[] {
  return differences.slice(0, MAX_SENTENCES).map(sentence);
}

function rowSentence(row: RowDifference): string {
  const { windowStartMs, lotteryName, eventType, stored, recounted } = row;
  const which = `Window ${utcTime(windowStartMs)}, ${lotteryName}, ${eventType}`;
  if (row.hasWrongEnd) return `${which}: its window_end is wrong`;
  if (row.isPartial) {
    return `${which}: stored ${countOf(stored)}, at least ${countOf(recounted)} recounted`;
  }
  return `${which}: stored ${countOf(stored)}, recounted ${countOf(recounted)}`;
}

function hourSentence({ hourStartMs, lotteryName, eventType, stored, ofMinutes }: HourDifference) {
  return `Hour ${utcTime(hourStartMs)}, ${lotteryName}, ${eventType}: ` +
    `stored ${countOf(stored)}, its minutes have ${countOf(ofMinutes)}`;
}

function letterSentence({ partition, offset, stored, recounted }: DeadLetterDifference): string {
  return `Dead letter at offset ${offset} of partition ${partition}: ` +
    `stored ${stored ?? "none"}, recounted ${recounted ?? "none"}`;
}

function partitionSentence(
  { partition, fromOffset, toOffset, stored, recounted }: PartitionDifference,
): string {
  return `Partition ${partition}, offsets ${fromOffset} to ${toOffset - 1}: stored ` +
    `${plural(stored.counted, "event")} and ${plural(stored.dead, "dead letter")}, recounted ` +
    `${plural(recounted.counted, "event")} and ${plural(recounted.dead, "dead letter")}`;
}

function sumSentence({ sum, stored, expected }: LedgerDifference): string {
  return `The sum of ${sum}: stored ${groupDigits(stored)}, by the ledger ${groupDigits(expected)}`;
}

/** A row that does not exist has no count. */
function countOf(count: number | null): string {
  return count === null ? "no row" : groupDigits(count);
}

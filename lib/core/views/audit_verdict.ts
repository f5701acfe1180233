/**
 * What the last audit says, and whether it still says something about now.
 * @module
 */

import type { AuditNote } from "../audit/audit_note.ts";
import { groupDigits, plural } from "../text/numbers.ts";
import { isoTime } from "../text/time.ts";

/** Older than two rounds: nobody audits any more, or it does not get done. */
export function isOverdue({ atMs, roundMs, seconds }: AuditNote, nowMs: number): boolean {
  return nowMs - atMs > 2 * roundMs + seconds * 1000;
}

/** The verdict in a few words. */
export function verdictText({ verdict, rows, wrong, notProvable }: AuditNote): string {
  const recounted = `${plural(rows, "row")} recounted`;
  switch (verdict) {
    case "agrees":
      return `${recounted}, all agree`;
    case "wrong":
      return `${groupDigits(wrong)} WRONG, ${plural(rows, "row agrees", "rows agree")}`;
    case "not provable":
      return `${recounted}, all agree, ${groupDigits(notProvable)} not provable`;
    case "incomplete":
      return `${recounted}, all agree, but a part of the topic is in no count`;
  }
}

/** As the API and `status --json` have it. */
export function auditJson(note: AuditNote, nowMs: number) {
  return {
    at: isoTime(note.atMs),
    from: isoTime(note.fromMs),
    to: isoTime(note.toMs),
    records: note.records,
    rows: note.rows,
    wrong: note.wrong,
    not_provable: note.notProvable,
    seconds: note.seconds,
    verdict: note.verdict,
    first_wrong: note.firstWrong,
    is_overdue: isOverdue(note, nowMs),
  };
}

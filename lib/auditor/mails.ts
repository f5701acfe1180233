/**
 * What an auditor mails.
 * @module
 */

import type { Alert } from "../core/alert.ts";
import type { AuditNote } from "../core/audit/audit_note.ts";
import { plural } from "../core/text/numbers.ts";
import type { AuditState } from "../io/postgres/audits.ts";

/** The tables are wrong. */
export function wrongAlert({ atMs, wrong, firstWrong }: AuditNote, before: AuditState): Alert {
  const unnamed = wrong - firstWrong.length;
  return {
    cause: "audit_wrong",
    title: "The tables do not match the topic",
    error: new Error([...firstWrong, ...unnamed > 0 ? [`and ${unnamed} more`] : []].join("\n")),
    sinceMs: before.wrongSinceMs ?? atMs,
    doing: "It keeps auditing, and has changed nothing. Workers keep counting. It mails once all " +
      "agrees again.",
    advice:
      "`audit` lists everything that is wrong. If something was changed by hand or restored " +
      "from a backup, undo that. If only hours are wrong, `call rebuild_hours()` in PostgreSQL makes " +
      "them again from their minutes. `reset --recount` counts everything again that the topic holds.",
  };
}

/**
 * They were wrong, and nothing is any more. What the log no longer proves may still be: retention
 * ends an error for the audit, but does not undo it.
 */
export function rightAlert({ atMs, rows, notProvable }: AuditNote, before: AuditState): Alert {
  const isProven = notProvable === 0;
  const theirs = notProvable === 1 ? "its" : "their";
  const unproved = isProven ? "" : ` ${plural(notProvable, "other")} cannot be proved: ${theirs} ` +
    "records are no longer in the log.";
  return {
    cause: "audit_wrong",
    title: isProven
      ? "Recovered: the tables match the topic again"
      : "Recovered: the tables match what the topic still holds",
    sinceMs: before.wrongSinceMs ?? atMs,
    doing: `It has recounted everything, and ${
      plural(rows, "row agrees", "rows agree")
    }.${unproved}`,
    advice: isProven
      ? "Nothing."
      : "Nothing, if what was wrong has been undone. Otherwise it may be among what can no longer " +
        "be proved: the mail about it names it.",
  };
}

/** The auditor stops because of an error that requires an operator. */
export function stoppedAlert(error: unknown): Alert {
  return {
    cause: "stopped",
    title: "The auditor has stopped and requires operator action",
    error,
    sinceMs: Date.now(),
    doing: "It has stopped. Workers keep counting, and nobody proves what they count.",
    advice: "Follow the advice in the error, then restart it.",
  };
}

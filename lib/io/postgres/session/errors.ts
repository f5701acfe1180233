/**
 * What PostgreSQL says about a statement, in sentences that say what to do.
 * @module
 */

import { causes, isPassing, OperatorError } from "../../../core/failure.ts";

/** What the driver puts on an error of the database. */
interface DatabaseError extends Error {
  readonly code?: unknown;
  readonly severity?: unknown;
  readonly constraint?: unknown;
  readonly table?: unknown;
  readonly detail?: unknown;
  /** The function of the server that said it, whatever its language. */
  readonly routine?: unknown;
}

/** SQLSTATE of an error of the database, or of what it was explained as; else null. */
export function sqlStateOf(error: unknown): string | null {
  for (const { severity, code } of causes(error) as DatabaseError[]) {
    if (severity !== undefined && typeof code === "string") return code;
  }
  return null;
}

/** An error that needs a person, explained; others are returned as they are. */
export function explainStatementError(error: unknown): unknown {
  if (isPassing(error)) return error;
  const code = sqlStateOf(error);
  const explanation = code === null ? null : explanationOf(code, error as DatabaseError);
  return explanation === null ? error : new OperatorError(explanation, { cause: error });
}

function explanationOf(
  code: string,
  { constraint, table, detail, routine }: DatabaseError,
): string | null {
  if (/^(42P01|42703|42883)$/.test(code)) {
    return "The database lacks a table, column or function that this version needs. " +
      "Run `migrate`; if it was changed by hand, restore it, or set DATABASE_URL to an empty database";
  }
  if (code === "42501") {
    return routine === "check_enable_rls"
      ? "Row security keeps rows of a table from the role of DATABASE_URL. " +
        "Disable it on the table, or give the role `bypassrls`"
      : "PostgreSQL does not allow the role of DATABASE_URL what it needs. " +
        "`doctor` says what to grant; or use another role";
  }
  // Check constraints have names; the bounds of partitions have none.
  if (code === "23514" && !constraint) {
    return `The table ${table} is partitioned, and has no partition for a row` +
      `${detail ? `: ${detail}` : ""}. ` +
      "Nothing of the commit was stored. Create the partition, and start again";
  }
  if (/^(22|23)/.test(code)) {
    const which = constraint ? `, constraint "${constraint}"` : "";
    return `PostgreSQL refuses a row that is valid by our rules (SQLSTATE ${code}${which}). ` +
      "Nothing of the commit was stored. Remove the constraint or trigger that is not ours, and start again";
  }
  return null;
}

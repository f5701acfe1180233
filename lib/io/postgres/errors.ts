/**
 * What PostgreSQL says about a statement, in sentences that say what to do.
 * @module
 */

import { isPassing, OperatorError } from "../../core/failure.ts";

/** What the driver puts on an error of the database. */
interface DatabaseError {
  readonly code?: unknown;
  readonly constraint?: unknown;
}

/** An error that needs a person, explained; others are returned as they are. */
export function explainStatementError(error: unknown): unknown {
  if (!(error instanceof Error) || isPassing(error)) return error;
  const { code, constraint } = error as DatabaseError;
  if (typeof code !== "string") return error;
  const operator = (message: string) => new OperatorError(message, { cause: error });
  if (/^(42P01|42703|42883)$/.test(code)) {
    return operator(
      "The database lacks a table, column or function that this version needs. " +
        "Run `migrate`; if it was changed by hand, restore it, or set DATABASE_URL to an empty database",
    );
  }
  if (code === "42501") {
    return operator(
      "PostgreSQL does not allow the role of DATABASE_URL what it needs. Grant it, or use another role",
    );
  }
  if (/^(22|23)/.test(code)) {
    const which = constraint ? `, constraint "${constraint}"` : "";
    return operator(
      `PostgreSQL refuses a row that is valid by our rules (SQLSTATE ${code}${which}). ` +
        "Nothing of the commit was stored. Remove the constraint or trigger that is not ours, and start again",
    );
  }
  return error;
}

/**
 * What the driver's errors mean. The connection translates each of them once, so that every query
 * is explained in the same way.
 * @module
 */

import { causes, isPassing, OperatorError, UnavailableError } from "../../../core/failure.ts";

/** What the driver puts on an error of the database. */
interface DatabaseError extends Error {
  readonly code?: unknown;
  readonly severity?: unknown;
  readonly constraint?: unknown;
  readonly table?: unknown;
  readonly detail?: unknown;
  /** The function of the server that raised it, whatever its language. */
  readonly routine?: unknown;
}

/** The server gave up a statement for a reason that passes, such as a lock. Its session continues. */
export class StatementAbortedError extends UnavailableError {}

/** True if the server is away, which passes; not if it gave up a statement. */
export function isAway(error: unknown): boolean {
  return isPassing(error) && !(error instanceof StatementAbortedError);
}

/** SQLSTATE of an error of the database, or of what it was translated into; else null. */
export function sqlStateOf(error: unknown): string | null {
  for (const { severity, code } of causes(error) as DatabaseError[]) {
    if (severity !== undefined && typeof code === "string") return code;
  }
  return null;
}

/** SQLSTATE of a write to a server that only reads. */
const READ_ONLY = "25006";

/**
 * SQLSTATEs that pass: 08 connection, 40 rollback (deadlock, serialization), 53 out of
 * resources, 55P03 lock timeout, 57 shutdown and cancelled (but not 57P04, a dropped
 * database), 58 disk trouble, 25006 read-only (during a failover).
 * @see https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
const PASSING = /^(08|40|53|58)...$|^57(014|P0[1235])$|^55P03$|^25006$/;

/** SQLSTATEs with which the server ends a session: connection, shutdown, and one that idled. */
const SESSION_END = /^(08...|57P0[1-5]|25P0[34])$/;

/**
 * Codes of sockets and name lookups while the other side is away or coming back, or descriptors
 * are short. The last four are TLS's, and of the missing file of a Unix socket.
 */
const SOCKET_CODES =
  /^(EAI_AGAIN|ECONN(ABORTED|REFUSED|RESET)|E(HOST|NET)UNREACH|EMFILE|ENFILE|ENOTFOUND|EPIPE|ETIMEDOUT|ERR_SSL_.*|ERR_STREAM_.*|EPROTO|ENOENT)$/;

/** What the driver says without a code. */
const DRIVER_MESSAGES =
  /^(Connection terminated|Query read timeout|timeout expired|Client has encountered|Client was closed|There was an error establishing an SSL)/;

/** True if the session is gone or about to end, or if the next one may have a server that writes. */
export function endsSession(error: unknown): boolean {
  return sqlStateOf(error) === READ_ONLY || isConnectionError(error);
}

/** True if no session could be opened for a reason that passes. */
export function isOpeningPassing(error: unknown): boolean {
  const code = sqlStateOf(error);
  return code === null ? isConnectionError(error) : PASSING.test(code);
}

/** Not by the severity, which the server translates. */
function isConnectionError(error: unknown): boolean {
  const state = sqlStateOf(error);
  if (state !== null) return SESSION_END.test(state);
  return causes(error).some((link) =>
    DRIVER_MESSAGES.test(link.message) || "code" in link && SOCKET_CODES.test(String(link.code))
  );
}

export interface StatementPlace {
  readonly where: string;
  /** Why nothing can be written in the session, if that is known. */
  readonly readOnly: string | null;
}

/** The error of a statement as ours; one that has no meaning here is returned as it is. */
export function explainStatementError(
  error: unknown,
  { where, readOnly }: StatementPlace,
): unknown {
  const cause = { cause: error };
  const code = sqlStateOf(error);
  if (code === READ_ONLY) {
    return new UnavailableError(readOnly ?? `PostgreSQL at ${where} is read-only`, cause);
  }
  if (isConnectionError(error)) {
    const text = `Cannot reach PostgreSQL: the connection to ${where} is lost`;
    return new UnavailableError(text, cause);
  }
  if (code === null) return error;
  if (PASSING.test(code)) {
    const text = `${(error as Error).message} (SQLSTATE ${code})`;
    return new StatementAbortedError(text, cause);
  }
  const explanation = explanationOf(code, error as DatabaseError);
  return explanation === null ? error : new OperatorError(explanation, cause);
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
      ? "Row security hides rows of a table from the role of DATABASE_URL. " +
        "Disable it on the table, or give the role `bypassrls`"
      : "The role of DATABASE_URL lacks a required right. " +
        "`doctor` shows what to grant; or use another role";
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
      "Nothing of the commit was stored. Remove the constraint or trigger that was added, and start again";
  }
  return null;
}

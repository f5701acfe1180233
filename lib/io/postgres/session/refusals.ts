/**
 * Why no session could be opened, in sentences that name what to change.
 * @module
 */

import { OperatorError, UnavailableError } from "../../../core/failure.ts";
import { isOpeningPassing, sqlStateOf } from "./errors.ts";
import { tlsProblem } from "./tls.ts";
import { socketProblem } from "./unix_socket.ts";

const BY_SERVER: Readonly<Record<string, (where: string) => string>> = {
  "28P01": wrongPassword,
  "28000": (where) =>
    `Cannot log in to PostgreSQL at ${where}: it does not allow this user to connect this way. ` +
    "Check its pg_hba.conf, and the user, sslmode and sslcert of DATABASE_URL",
  "3D000": missingDatabase,
  "42501": (where) =>
    `Cannot open the database of ${where}: its role lacks the right to. ` +
    "Allow it with `grant connect on database … to …`, or use another role in DATABASE_URL",
};

/** Refusals of PgBouncer, by message: it uses one SQLSTATE for everything. */
const BY_POOLER: readonly (readonly [RegExp, (where: string) => string])[] = [
  [
    /unsupported startup parameter/,
    (where) =>
      `Cannot open a session through the pooler at ${where}: it refuses a parameter of DATABASE_URL ` +
      "or PGOPTIONS. Remove it, or list it in PgBouncer's ignore_startup_parameters",
  ],
  [/authentication failed|no such user/, wrongPassword],
  [/no such database|database .* does not exist/, missingDatabase],
];

/** SQLSTATE of a violation of the protocol. */
const PROTOCOL_VIOLATION = "08P01";

function wrongPassword(where: string): string {
  return `Cannot log in to PostgreSQL at ${where}: it rejects the user or password. Check DATABASE_URL`;
}

function missingDatabase(where: string): string {
  return `Cannot open the database of ${where}: it does not exist. ` +
    "Create it with `migrate --create-database`, or name another in DATABASE_URL";
}

/** A refused or failed connection as an error that names the setting to change. */
export function refusal(error: unknown, where: string): Error {
  if (error instanceof OperatorError || error instanceof UnavailableError) return error;
  const cause = { cause: error };
  const problem = tlsProblem(error, where) ?? socketProblem(error) ?? refusalText(error, where);
  if (problem !== null) return new OperatorError(problem, cause);
  return isOpeningPassing(error)
    ? new UnavailableError(
      `Cannot reach PostgreSQL at ${where}. Is it running, and is DATABASE_URL right?`,
      cause,
    )
    : new OperatorError(
      `Cannot connect to PostgreSQL at ${where}. Check the user, password and sslmode of DATABASE_URL`,
      cause,
    );
}

function refusalText(error: unknown, where: string): string | null {
  const code = sqlStateOf(error);
  const text = code === PROTOCOL_VIOLATION
    ? BY_POOLER.find(([pattern]) => pattern.test((error as Error).message))?.[1]
    : BY_SERVER[code ?? ""];
  return text?.(where) ?? null;
}

/**
 * Which sessions block a change of the tables.
 * @module
 */

import { UnavailableError } from "../../../core/failure.ts";
import type { Connection } from "../session/connection.ts";
import { sqlStateOf } from "../session/errors.ts";

/** SQLSTATE of a lock that was not granted in time. */
const LOCK_TIMEOUT = "55P03";

/** A lock timeout as an error that names the sessions in the way; other errors as they are. */
export async function explainLockTimeout(
  error: unknown,
  connection: Connection,
): Promise<unknown> {
  if (sqlStateOf(error) !== LOCK_TIMEOUT) return error;
  const sessions = await connection.query<{ pid: number; role: string; name: string }>({
    text: `
      select pid, usename::text as role, application_name as name
      from pg_stat_activity
      where pid <> pg_backend_pid() and pid in (
        select l.pid
        from pg_locks l
        join pg_class c on c.oid = l.relation
        where l.database = (select oid from pg_database where datname = current_database())
          and c.relkind in ('r', 'p')
          and c.relnamespace = quote_ident(current_schema())::regnamespace
      )
      order by pid`,
  });
  const users = sessions.map(({ pid, role, name }) => `${name || "a session"} of ${role} (${pid})`);
  return new UnavailableError(
    `Cannot lock the tables, because other sessions use them${
      users.length === 0 ? "" : `: ${users.join(", ")}`
    }. Wait for them, or end them with \`select pg_terminate_backend(…)\``,
    { cause: error },
  );
}

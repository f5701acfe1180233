/**
 * A database session of our own: when opened, it pins every setting that counting and reading
 * depend on, whatever role, database, URL or pooler set.
 *
 * A pooler that lends each transaction another session would leak our settings to its other
 * clients, and theirs to us. Such a pooler is detected and refused before anything is set.
 * @module
 */

import { delay } from "../../../async/delay.ts";
import { OperatorError, UnavailableError } from "../../../core/failure.ts";
import { Client, type Row } from "./client.ts";
import { sqlStateOf } from "./errors.ts";

/**
 * Settings as `pg_settings` spells them; those unknown to the server are skipped. Read-only is not
 * among them: an operator who made a database read-only had a reason, such as a disk almost full.
 */
const SETTINGS: Readonly<Record<string, string>> = {
  // How values are written and read.
  DateStyle: "ISO, MDY",
  IntervalStyle: "postgres",
  TimeZone: "UTC",
  client_encoding: "UTF8",
  bytea_output: "hex",
  extra_float_digits: "1",
  array_nulls: "on",
  standard_conforming_strings: "on",
  // What a statement sees and triggers. A policy that hides rows becomes an error.
  default_transaction_isolation: "read committed",
  default_transaction_deferrable: "off",
  row_security: "off",
  session_replication_role: "origin",
  // Compiling a query that reads a long range would take longer than to run it.
  jit: "off",
  // A lock times out before its statement does, and a statement before the client does.
  lock_timeout: "10000",
  statement_timeout: "20000",
  idle_in_transaction_session_timeout: "20000", // a host that died must not hold its locks
  idle_session_timeout: "0",
  transaction_timeout: "0",
  // Nor must the session of a host that died: by default it is noticed after two hours. Over a Unix
  // socket these have no meaning, and read as 0.
  tcp_keepalives_idle: "60",
  tcp_keepalives_interval: "10",
  tcp_keepalives_count: "3",
};

export interface Session {
  readonly client: Client;
  /** Why nothing can be written, and what to do; null if it was writable when opened. */
  readonly readOnly: string | null;
}

interface SessionRow extends Row {
  readonly is_direct: boolean;
  readonly is_standby: boolean;
  /** Source of the setting that makes it read-only; null if none does. */
  readonly read_only_source: string | null;
  readonly role: string;
  readonly database: string;
}

/** @param options.where what an error calls the server. */
export async function openSession(
  url: string,
  { name, where }: { readonly name: string; readonly where: string },
): Promise<Session> {
  const client = await Client.connect(url, name);
  try {
    const own = (processId: number | null) =>
      pin(client, processId).catch((error) => {
        throw sqlStateOf(error) === NOT_ALLOWED ? unpinnable(error, where) : error;
      });
    let row = await own(client.processId);
    if (!row.is_direct) {
      const other = await Client.connect(url, name);
      try {
        if (await isLent({ ours: client, other, where })) throw new OperatorError(lentBy(where));
      } finally {
        void other.close();
      }
      row = await own(null);
    }
    return { client, readOnly: readOnlyReason(row, where) };
  } catch (error) {
    void client.close();
    throw error;
  }
}

/**
 * Sets what differs, unless a pooler stands between.
 * @param processId as the other end reports it: behind a pooler it is not the server's. Null to
 * set in any case.
 */
async function pin(client: Client, processId: number | null): Promise<SessionRow> {
  const [row] = await client.query<SessionRow>({
    text: `
      with server as (
        select $1::bigint is null or $1 = pg_backend_pid() as is_direct
      ),
      -- The schema of our tables comes first, so that no table of the same name hides them.
      path as (
        select
          'search_path' as name,
          concat(quote_ident(nspname), ', ', current_setting('search_path')) as wanted
        from pg_class c
        join pg_namespace n on n.oid = c.relnamespace
        where c.oid = to_regclass('lottery_migrations')
          and not starts_with(
            current_setting('search_path') || ',', quote_ident(nspname) || ','
          )
      ),
      changed as (
        select set_config(name, wanted, false)
        from (
          select name, wanted
          from unnest($2::text[], $3::text[]) as pinned (name, wanted)
          join pg_settings using (name)
          where setting <> wanted
          union all
          select name, wanted from path
        ) settings, server
        where is_direct
      )
      select
        is_direct,
        (select count(*) from changed) as changed,
        pg_is_in_recovery() as is_standby,
        (
          select source
          from pg_settings
          where name = 'default_transaction_read_only' and setting = 'on'
        ) as read_only_source,
        quote_ident(session_user) as role,
        quote_ident(current_database()) as database
      from server`,
    values: [processId, Object.keys(SETTINGS), Object.values(SETTINGS)],
  });
  return row!;
}

const NOT_ALLOWED = "42501";

/** Such as triggers turned off: only a superuser can set that, or reset it. */
function unpinnable(error: unknown, where: string): OperatorError {
  return new OperatorError(
    `Cannot use PostgreSQL at ${where}: a setting of the role or the database makes counts wrong. ` +
      "Reset it as a superuser with `alter role … reset …` or `alter database … reset …`",
    { cause: error },
  );
}

/** Two connections are compared this many times, because the pooler has other clients. */
const ROUNDS = 5;
/** A session pooler makes the second connection wait while it has no session left. */
const MAX_WAIT_MS = 1_000;

/**
 * True if the pooler gives both connections the same session, or one of them changing ones.
 * @throws {UnavailableError} if the pooler has no session for either of them.
 */
async function isLent(
  { ours, other, where }: {
    readonly ours: Client;
    readonly other: Client;
    readonly where: string;
  },
): Promise<boolean> {
  const first = await processOf(ours);
  for (let round = 0; round < ROUNDS; round++) {
    const asking = processOf(other);
    if (await answerOf(asking) === undefined) {
      // It waits for a session. Only a session pooler leaves us ours meanwhile.
      const own = await answerOf(processOf(ours));
      if (own === undefined) throw new UnavailableError(overloaded(where));
      if (own !== first) return true;
      if (await answerOf(asking, 0) === undefined) return false;
    }
    const theirs = await asking;
    // Twice, because a pooler may rotate its sessions.
    const now = [await processOf(ours), await processOf(ours)];
    if (theirs === first || now.some((process) => process !== first)) return true;
  }
  return false;
}

/** The answer, or undefined if it does not arrive in time. */
async function answerOf<T>(answer: Promise<T>, ms = MAX_WAIT_MS): Promise<T | undefined> {
  return await Promise.race([answer, delay(ms).then(() => undefined)]);
}

async function processOf(client: Client): Promise<number> {
  const [row] = await client.query<{ process: number }>({
    text: "select pg_backend_pid() as process",
  });
  return row!.process;
}

function overloaded(where: string): string {
  return `Cannot get a session from the pooler at ${where}: all sessions are in use. ` +
    "If that persists, raise its limit (PgBouncer: default_pool_size)";
}

function lentBy(where: string): string {
  return `Cannot use the pooler at ${where}: it gives each transaction another session of PostgreSQL ` +
    "(PgBouncer: pool_mode=transaction). Set pool_mode=session for this database, " +
    "or point DATABASE_URL directly at the server";
}

/** The statement that resets the setting, by its source. */
const READ_ONLY_SOURCES: Readonly<Record<string, (row: SessionRow) => string>> = {
  "database": ({ database }) => `alter database ${database}`,
  "user": ({ role }) => `alter role ${role}`,
  "database user": ({ role, database }) => `alter role ${role} in database ${database}`,
  "global": () => "alter role all",
};

function readOnlyReason(row: SessionRow, where: string): string | null {
  if (row.is_standby) {
    return `PostgreSQL at ${where} is read-only: it is a standby. Set DATABASE_URL to the primary, ` +
      "or promote this one";
  }
  const source = row.read_only_source;
  if (source === null) return null;
  const owner = READ_ONLY_SOURCES[source]?.(row);
  return `PostgreSQL at ${where} is read-only: default_transaction_read_only is on. ` +
    (owner
      ? `Reset it with \`${owner} reset default_transaction_read_only\``
      : source === "client"
      ? "Remove it from the options of DATABASE_URL or PGOPTIONS"
      : "Turn it off in the server's configuration");
}

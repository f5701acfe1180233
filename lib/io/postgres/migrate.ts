/**
 * Brings a database to the schema that this program needs.
 * @module
 */

import { OperatorError } from "../../core/failure.ts";
import { Connection } from "./connection.ts";
import tables from "./migrations/0001_tables.sql" with { type: "text" };
import commit from "./migrations/0002_commit.sql" with { type: "text" };

/** In this order, and never changed once released: a new one is added instead. */
const MIGRATIONS: readonly {
  readonly version: number;
  readonly name: string;
  readonly sql: string;
}[] = [
  { version: 1, name: "tables", sql: tables },
  { version: 2, name: "commit", sql: commit },
];

/** Any number that nothing else in the database uses for its advisory locks. */
const LOCK = 4_902_716_533;

/**
 * Applies the migrations that are missing, in one transaction; several may start at once.
 * @returns the names of those that were applied.
 * @throws {OperatorError} if the database is not ours to change, with the way out.
 */
export async function migrate(connection: Connection): Promise<string[]> {
  return await connection.transaction(async () => {
    // Ends with the transaction; a session lock would not hold in a database with one session.
    await connection.query({ text: `select pg_advisory_xact_lock(${LOCK})` });
    await assertUtf8(connection);
    await assertOurs(connection);
    await connection.query({
      text: `
        create table if not exists lottery_migrations (
          version integer primary key,
          name text not null,
          applied_at timestamptz not null default now()
        )`,
    });
    const applied = await connection.query<{ version: number }>({
      text: "select version from lottery_migrations",
    });
    const missing = MIGRATIONS.filter(({ version }) =>
      !applied.some((row) => row.version === version)
    );
    for (const { version, name, sql } of missing) {
      await connection.query({ text: sql });
      await connection.query({
        text: "insert into lottery_migrations (version, name) values ($1, $2)",
        values: [version, name],
      });
    }
    return missing.map(({ version, name }) => `${String(version).padStart(4, "0")} ${name}`);
  });
}

/** Creates the database of `url`, UTF-8, unless it exists. @returns whether it was created. */
export async function createDatabase(url: string): Promise<boolean> {
  const maintenanceUrl = new URL(url);
  const name = decodeURIComponent(maintenanceUrl.pathname.slice(1));
  maintenanceUrl.pathname = "/postgres";
  await using connection = new Connection(maintenanceUrl.href);
  const existing = await connection.query({
    text: "select from pg_database where datname = $1",
    values: [name],
  });
  if (existing.length > 0) return false;
  const quoted = `"${name.replaceAll('"', '""')}"`;
  await connection.query({
    text: `create database ${quoted} encoding 'UTF8' template template0`,
  });
  return true;
}

/**
 * Looks whether the database can be used, without changing it.
 * @returns what is there, in a few words.
 * @throws {OperatorError} if a person has to do something first.
 */
export async function assertUsable(connection: Connection): Promise<string> {
  await assertUtf8(connection);
  await assertOurs(connection);
  const [{ ours } = { ours: null }] = await connection.query<{ ours: string | null }>({
    text: "select to_regclass('lottery_migrations')::text as ours",
  });
  if (!ours) return "answers, empty: the first start creates the tables";
  const [{ version } = { version: 0 }] = await connection.query<{ version: number }>({
    text: "select max(version) as version from lottery_migrations",
  });
  return `answers, schema version ${version} of ${MIGRATIONS.at(-1)!.version}`;
}

async function assertUtf8(connection: Connection): Promise<void> {
  const [row] = await connection.query<{ server_encoding: string }>({
    text: "show server_encoding",
  });
  if (row?.server_encoding === "UTF8") return;
  throw new OperatorError(
    `Cannot use this database: its encoding is ${row?.server_encoding}, which cannot hold every name. ` +
      "Create one with `encoding 'UTF8' template template0` and set DATABASE_URL to it.",
  );
}

/** A table of the replaced system has the same name, but not our columns. */
async function assertOurs(connection: Connection): Promise<void> {
  const [row] = await connection.query<{ aggregates: string | null; ours: string | null }>({
    text: `
      select
        to_regclass('lottery_aggregates')::text as aggregates,
        to_regclass('lottery_migrations')::text as ours`,
  });
  if (!row?.aggregates || row.ours) return;
  throw new OperatorError(
    "Cannot create the table lottery_aggregates: another system's table has that name. Keep it under another one with " +
      "`alter table lottery_aggregates rename to lottery_aggregates_old`, and start again.",
  );
}

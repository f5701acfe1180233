/**
 * Brings a database to the schema that this program needs.
 * @module
 */

import { OperatorError } from "../../core/failure.ts";
import { log } from "../logs.ts";
import { Connection } from "./connection.ts";
import tables from "./migrations/0001_tables.sql" with { type: "text" };
import commit from "./migrations/0002_commit.sql" with { type: "text" };
import alerts from "./migrations/0003_alerts.sql" with { type: "text" };
import offsetHistory from "./migrations/0004_offset_history.sql" with { type: "text" };
import replayAndRetention from "./migrations/0005_replay_and_retention.sql" with { type: "text" };
import output from "./migrations/0006_output.sql" with { type: "text" };
import thinHistory from "./migrations/0007_thin_history.sql" with { type: "text" };
import storage from "./migrations/0008_storage.sql" with { type: "text" };
import staging from "./migrations/0009_staging.sql" with { type: "text" };
import liveness from "./migrations/0011_liveness.sql" with { type: "text" };

/** In this order, and never changed once released: a new one is added instead. */
const MIGRATIONS: readonly {
  readonly version: number;
  readonly name: string;
  readonly sql: string;
}[] = [
  { version: 1, name: "tables", sql: tables },
  { version: 2, name: "commit", sql: commit },
  { version: 3, name: "alerts", sql: alerts },
  { version: 4, name: "offset history", sql: offsetHistory },
  { version: 5, name: "replay and retention", sql: replayAndRetention },
  { version: 6, name: "output", sql: output },
  { version: 7, name: "thin history", sql: thinHistory },
  { version: 8, name: "storage", sql: storage },
  { version: 9, name: "staging", sql: staging },
  { version: 11, name: "liveness", sql: liveness },
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
    if (!await isMigrated(connection)) await assertMayCreate(connection);
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
    const names = missing.map(({ version, name }) => `${String(version).padStart(4, "0")} ${name}`);
    if (names.length > 0) log.info("Migrated the database: {names}", { names: names.join(", ") });
    return names;
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
  try {
    await connection.query({
      text: `create database ${quoted} encoding 'UTF8' template template0`,
    });
  } catch (error) {
    // 42P04 and 23505: another one has created it in this moment.
    if (/^(42P04|23505)$/.test((error as { readonly code?: string }).code ?? "")) return false;
    throw error;
  }
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
  if (!await isMigrated(connection)) {
    await assertMayCreate(connection);
    return "answers, empty: the first start creates the tables";
  }
  const [{ version } = { version: 0 }] = await connection.query<{ version: number }>({
    text: "select max(version) as version from lottery_migrations",
  });
  return `answers, schema version ${version} of ${MIGRATIONS.at(-1)!.version}`;
}

/**
 * Makes sure that every table of this version is there, without changing anything.
 * @throws {OperatorError} if `migrate` has to run first.
 */
export async function assertUpToDate(connection: Connection): Promise<void> {
  await assertOurs(connection);
  const [row] = await isMigrated(connection)
    ? await connection.query<{ version: number }>({
      text: "select max(version) as version from lottery_migrations",
    })
    : [];
  if ((row?.version ?? 0) >= MIGRATIONS.at(-1)!.version) return;
  throw new OperatorError(
    "Cannot work with this database: it lacks tables that this version needs. Run `migrate` first.",
  );
}

/** True if the tables of some version are there. */
export async function isMigrated(connection: Connection): Promise<boolean> {
  const rows = await connection.query({
    text: "select 1 where to_regclass('lottery_migrations') is not null",
  });
  return rows.length > 0;
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

/** A table of the replaced system may have the name of one of ours. */
async function assertOurs(connection: Connection): Promise<void> {
  const [foreign] = await connection.query<{ name: string }>({
    text: `
      select name
      from unnest($1::text[]) as name
      where to_regclass(name) is not null and to_regclass('lottery_migrations') is null
      limit 1`,
    values: [[
      "lottery_aggregates",
      "kafka_offsets",
      "dead_letters",
      "dead_letter_horizons",
      "dead_letter_staging",
      "all_dead_letters",
      "staged_dead_letters",
      "dead_letter_counts",
      "pipeline",
      "alerts",
      "workers",
      "living_workers",
      "offset_history",
      "windows_ahead",
      "outbox",
      "output_publisher",
      "lottery_windows",
    ]],
  });
  if (!foreign) return;
  throw new OperatorError(
    `Cannot create the table ${foreign.name}: another system's table has that name. Keep it under another one with ` +
      `\`alter table ${foreign.name} rename to ${foreign.name}_old\`, and start again.`,
  );
}

/** Before the first start, the role has to be able to create the tables. */
async function assertMayCreate(connection: Connection): Promise<void> {
  const [row] = await connection.query<{ role: string; schema: string; may_create: boolean }>({
    text: `
      select
        current_user::text as role,
        current_schema()::text as schema,
        has_schema_privilege(current_schema(), 'create') as may_create`,
  });
  if (row?.may_create) return;
  throw new OperatorError(
    `Cannot create the tables: the role ${row?.role} of DATABASE_URL may not create any in the schema ${row?.schema}. ` +
      `Allow it with \`grant create on schema ${row?.schema} to ${row?.role}\`.`,
  );
}

/**
 * Brings a database to the schema that this program needs.
 * @module
 */

import { OperatorError } from "../../../core/failure.ts";
import { log } from "../../logs.ts";
import { VERSION } from "../../version.ts";
import type { Connection } from "../session/connection.ts";
import { sqlStateOf } from "../session/errors.ts";
import { explainLockTimeout } from "./locks.ts";
import { functionNames, type Migration, MIGRATIONS } from "./migrations.ts";
import { assertGranted, WORKER_RIGHTS } from "./rights.ts";

const MIGRATIONS_TABLE = `
create table lottery_migrations (
  version integer primary key,
  name text not null,
  -- The version of the program that applied it.
  release text not null,
  applied_at timestamptz not null default now()
)`;

const OURS = Object.keys(WORKER_RIGHTS).filter((name) => name !== "lottery_migrations");

/** SQLSTATE of a transaction that was ended because it and another one waited for each other. */
const DEADLOCK = "40P01";
const ATTEMPTS = 5;

/**
 * Applies the migrations that are missing, in one transaction; several may start at once. If
 * nothing is missing it only reads, and waits for no lock.
 * @returns the names of those that were applied.
 * @throws {OperatorError} if the database is not ours to change, saying what to do.
 */
export async function migrate(connection: Connection): Promise<string[]> {
  await assertOurs(connection);
  const isNew = !await isMigrated(connection);
  if (!isNew && (await missingMigrations(connection)).length === 0) return [];
  await connection.assertWritable();
  await assertUtf8(connection);
  await assertMayMigrate(connection);
  for (let attempt = 1;; attempt++) {
    try {
      return await applyMissing(connection, isNew);
    } catch (error) {
      // Another process has just made the first table, and with it all the others.
      if (isNew && await isMigrated(connection)) return await migrate(connection);
      if (sqlStateOf(error) === DEADLOCK && attempt < ATTEMPTS) continue;
      throw await explainLockTimeout(error, connection);
    }
  }
}

/**
 * As `migrate`, for a role that is to count.
 * @throws {OperatorError} also if the role lacks a right, with what to grant.
 */
export async function migrateForWorker(connection: Connection): Promise<void> {
  await assertOurs(connection);
  // First, because it needs a right already to see what is missing.
  if (await isMigrated(connection)) await assertGranted(connection);
  await migrate(connection);
  await assertGranted(connection);
}

async function applyMissing(connection: Connection, isNew: boolean): Promise<string[]> {
  return await connection.transaction(async () => {
    if (isNew) await connection.query({ text: MIGRATIONS_TABLE });
    // One at a time. A role that only reads cannot take this lock.
    await connection.query({ text: "lock table lottery_migrations in share row exclusive mode" });
    const missing = await missingMigrations(connection);
    const lock = missing.length === 0 ? null : await lockStatement(connection);
    if (lock !== null) await connection.query({ text: lock });
    for (const migration of missing) {
      await connection.query({ text: migration.sql });
      await connection.query({ text: bookkeeping(migration) });
    }
    const names = missing.map(nameOf);
    if (names.length > 0) log.info("Migrated the database: {names}", { names: names.join(", ") });
    return names;
  });
}

/**
 * Locks the existing tables; null without any. All before any is changed: a worker that
 * uses one while it waits for another would wait for us, and we for it.
 */
async function lockStatement(connection: Connection): Promise<string | null> {
  const tables = await connection.query<{ name: string }>({
    text: `
      select name
      from unnest($1::text[]) with ordinality as ours (name, place)
      join pg_class c on c.oid = to_regclass(name)
      where relkind in ('r', 'p')
      order by place`,
    values: [OURS],
  });
  if (tables.length === 0) return null;
  return `lock table ${tables.map(({ name }) => name).join(", ")} in access exclusive mode`;
}

/**
 * The missing migrations as one transaction, for the owner of the tables to run.
 * @param connection to the database; null if that does not exist yet.
 * @throws {OperatorError} if the database is not ours to change, saying what to do.
 */
export async function migrationScript(connection: Connection | null): Promise<string> {
  const schema = connection && await schemaOf(connection);
  const isNew = !connection || !await isMigrated(connection);
  if (connection) {
    await assertUtf8(connection);
    await assertOurs(connection);
  }
  const missing = connection && !isNew ? await missingMigrations(connection) : MIGRATIONS;
  if (missing.length === 0) return "-- Nothing is missing.";
  const owner = connection && await soleOwner(connection);
  const lock = connection && await lockStatement(connection);
  return [
    "begin;",
    // A superuser who runs it must not own what this role has to change later.
    ...owner === null ? [] : [`set local role ${owner};`],
    ...schema ? [`set local search_path to ${schema};`] : [],
    ...isNew ? [`${MIGRATIONS_TABLE.trim()};`] : [],
    ...lock === null ? [] : [`${lock};`],
    ...missing.flatMap((migration) => [
      `-- ${nameOf(migration)}`,
      migration.sql.trim(),
      `${bookkeeping(migration)};`,
    ]),
    "commit;",
  ].join("\n\n");
}

function nameOf({ version, name }: Migration): string {
  return `${String(version).padStart(4, "0")} ${name}`;
}

function bookkeeping({ version, name }: Migration): string {
  return `insert into lottery_migrations (version, name, release) values (${version}, '${name}', '${VERSION}')`;
}

async function missingMigrations(connection: Connection): Promise<Migration[]> {
  const applied = await appliedVersions(connection);
  return MIGRATIONS.filter(({ version }) => !applied.includes(version));
}

async function appliedVersions(connection: Connection): Promise<number[]> {
  const rows = await connection.query<{ version: number }>({
    text: "select version from lottery_migrations order by version",
  });
  return rows.map(({ version }) => version);
}

/**
 * Makes sure that the database can be used, without changing it.
 * @returns the state of the schema, in a few words.
 * @throws {OperatorError} if an operator has to do something first.
 * @throws {UnavailableError} if nothing can be written.
 */
export async function assertUsable(connection: Connection): Promise<string> {
  await connection.assertWritable();
  await assertUtf8(connection);
  await assertOurs(connection);
  if (!await isMigrated(connection)) {
    await assertMayMigrate(connection);
    return "answers, empty: the first start creates the tables";
  }
  await assertGranted(connection);
  if ((await missingMigrations(connection)).length > 0) await assertMayMigrate(connection);
  const version = (await appliedVersions(connection)).at(-1);
  return `answers, schema version ${version} of ${MIGRATIONS.at(-1)!.version}`;
}

/**
 * Makes sure that every table of this version exists, without changing anything.
 * @throws {OperatorError} if `migrate` has to run first.
 */
export async function assertUpToDate(connection: Connection): Promise<void> {
  await assertOurs(connection);
  if (await isMigrated(connection) && (await missingMigrations(connection)).length === 0) return;
  throw new OperatorError(
    "Cannot work with this database: it lacks tables that this version needs. Run `migrate` first.",
  );
}

/** True if the tables of any version exist. */
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

/**
 * A table of the replaced system may have the name of one of ours; and the tables of versions
 * before the first release, which did not note their release, are others.
 */
async function assertOurs(connection: Connection): Promise<void> {
  // One after the other, each a look of its own: another worker may be making the tables right now.
  const [taken] = await connection.query<{ name: string }>({
    text: "select name from unnest($1::text[]) as name where to_regclass(name) is not null limit 1",
    values: [OURS],
  });
  const [migrations] = await connection.query<{ oid: number }>({
    text: "select oid from pg_class where oid = to_regclass('lottery_migrations')",
  });
  const released = await connection.query({
    text: "select from pg_attribute where attrelid = $1 and attname = 'release'",
    values: [migrations?.oid ?? 0],
  });
  if (migrations && released.length === 0) {
    throw new OperatorError(
      "Cannot use this database: a version before 0.1.0 made its tables. " +
        "Set DATABASE_URL to an empty database: `start` counts into it from the log's beginning",
    );
  }
  if (migrations || !taken) return;
  const { name } = taken;
  throw new OperatorError(
    `Cannot create the table ${name}: another system's table has that name. Rename it with ` +
      `\`alter table ${name} rename to ${name}_old\`, and start again.`,
  );
}

/** The role, quoted, that owns all tables; null without tables, or if several roles own them. */
async function soleOwner(connection: Connection): Promise<string | null> {
  const owners = await connection.query<{ owner: string }>({
    text: `
      select quote_ident(pg_get_userbyid(owner)) as owner
      from (
        select relowner as owner
        from unnest($1::text[]) as ours (name)
        join pg_class on oid = to_regclass(name)
        union
        select proowner
        from pg_proc
        where proname = any ($2) and pronamespace = quote_ident(current_schema())::regnamespace
      ) owners`,
    values: [OURS, functionNames()],
  });
  return owners.length === 1 ? owners[0]!.owner : null;
}

/** A role that adds tables has to own the existing ones, and needs the right to create more. */
async function assertMayMigrate(connection: Connection): Promise<void> {
  const schema = await schemaOf(connection);
  const [row] = await connection.query<
    { role: string; owner: string | null; is_owner: boolean | null; may_create: boolean }
  >({
    text: `
      select
        quote_ident(current_user) as role,
        quote_ident(pg_get_userbyid(relowner)) as owner,
        pg_has_role(relowner, 'usage') as is_owner,
        has_schema_privilege(current_schema(), 'create') as may_create
      from (select to_regclass('lottery_migrations') as table) ours
      left join pg_class on oid = ours.table`,
  });
  const { role, owner, is_owner, may_create } = row!;
  if (owner !== null && !is_owner) {
    throw new OperatorError(
      `Cannot bring the tables up to date: they belong to ${owner}, and the role of DATABASE_URL is ${role}. ` +
        `Run \`migrate\` as ${owner}, or let ${owner} run what \`migrate --sql\` prints`,
    );
  }
  if (may_create) return;
  throw new OperatorError(
    `Cannot create the tables: the role ${role} of DATABASE_URL has no right to create tables in the schema ${schema}. ` +
      `Grant it with \`grant create on schema ${schema} to ${role}\`, or run what ` +
      "`migrate --sql` prints as a role that has it",
  );
}

/** The schema of the tables, quoted. */
async function schemaOf(connection: Connection): Promise<string> {
  const [row] = await connection.query<{ schema: string | null; path: string; role: string }>({
    text: `
      select
        quote_ident(current_schema()) as schema,
        current_setting('search_path') as path,
        quote_ident(current_user) as role`,
  });
  const { schema, path, role } = row!;
  if (schema !== null) return schema;
  throw new OperatorError(
    `Cannot find a schema for the tables: the search_path of the role ${role} is ${
      path || "empty"
    }, ` +
      "and names no existing schema that the role may use. Create one or grant the right " +
      `(\`grant usage, create on schema … to ${role}\`), or name another ` +
      `(\`alter role ${role} set search_path = …\`)`,
  );
}

import assert from "node:assert/strict";
import { OperatorError } from "../../../../lib/core/failure.ts";
import { createDatabase as createMissing } from "../../../../lib/io/postgres/schema/create_database.ts";
import { assertUsable, migrate } from "../../../../lib/io/postgres/schema/migrate.ts";
import { missingGrants, WORKER_RIGHTS } from "../../../../lib/io/postgres/schema/rights.ts";
import { Connection } from "../../../../lib/io/postgres/session/connection.ts";
import { migrateToFirstRelease } from "../../../support/first_release.ts";
import { LAST_MIGRATION, takeBackLastMigration } from "../../../support/last_migration.ts";
import { createDatabase, Postgres, type TestDatabase } from "../../../support/postgres.ts";
import { createRole, type TestRole } from "../../../support/role.ts";
import { serverTest } from "../../../support/servers.ts";
import { temporaryDirectory } from "../../../support/temporary_directory.ts";

function rightsTest(
  rule: string,
  body: (database: TestDatabase, role: TestRole) => Promise<void>,
): void {
  serverTest(rule, ["postgres"], async () => {
    await using database = await createDatabase();
    await using role = await createRole(database);
    await body(database, role);
  });
}

rightsTest("a worker's rights name every table that there is", async ({ connection }) => {
  await migrate(connection);
  const tables = await connection.query<{ name: string }>({
    text: `
      select relname::text as name
      from pg_class
      where relnamespace = 'public'::regnamespace and relkind in ('r', 'v')`,
  });
  assert.deepEqual(Object.keys(WORKER_RIGHTS).sort(), tables.map(({ name }) => name).sort());
});

rightsTest(
  "missingGrants() gives what a role lacks, and nothing once it was granted",
  async ({ connection }, role) => {
    await migrate(connection);
    await connection.query({
      text: "revoke execute on all functions in schema public from public",
    });
    await using worker = new Connection(role.url);
    const grants = await missingGrants(worker);
    assert.ok(
      grants.includes(`grant select, insert on table public.windows_ahead to ${role.name};`),
    );
    for (const grant of grants) await connection.query({ text: grant });
    assert.deepEqual(await missingGrants(worker), []);

    await connection.query({
      text: `revoke delete on outbox, lottery_aggregates from ${role.name}`,
    });
    assert.deepEqual(await missingGrants(worker), [
      `grant delete on table public.lottery_aggregates, public.outbox to ${role.name};`,
    ]);
    assert.deepEqual(await missingGrants(connection), []);
  },
);

rightsTest(
  "migrate() gives the hours to roles that could use the windows, so that nobody has to be granted more",
  async (database, role) => {
    const { connection } = database;
    await migrateToFirstRelease(connection);
    await using reader = await createRole(database);
    await connection.query({
      text: `
        grant select, insert, update, delete on all tables in schema public to ${role.name};
        grant usage, select, update on all sequences in schema public to ${role.name};
        grant select on lottery_aggregates to ${reader.name}`,
    });
    await migrate(connection);
    await using worker = new Connection(role.url);
    assert.deepEqual(await missingGrants(worker), []);
    const rights = await connection.query({
      text: `
        select
          has_table_privilege($1, 'lottery_hours', 'select') as may_read,
          has_table_privilege($1, 'lottery_hours', 'insert') as may_write`,
      values: [reader.name],
    });
    assert.deepEqual(rights, [{ may_read: true, may_write: false }]);
  },
);

rightsTest(
  "missingGrants() names the functions of the tables, and no others of their owner",
  async ({ connection }, role) => {
    await migrate(connection);
    await using worker = new Connection(role.url);
    const onFunctions = async () =>
      (await missingGrants(worker)).filter((grant) => grant.includes(" on function "));
    assert.deepEqual(await onFunctions(), []);
    await connection.query({
      text: `
        create function another() returns integer language sql as 'select 1';
        revoke execute on all functions in schema public from public`,
    });
    const grants = await onFunctions();
    const ours = await connection.query<{ functions: number }>({
      text: `
        select count(*) as functions
        from pg_proc
        where pronamespace = 'public'::regnamespace and proname <> 'another'
          and prokind = 'f' -- procedures are for operators`,
    });
    assert.equal(grants.length, ours[0]!.functions, "every signature");
    assert.ok(grants.length > 0);
    assert.ok(grants.every((grant) => !grant.includes("another")));
  },
);

rightsTest(
  "what the README grants a worker holds for the tables of later versions, too",
  async (database, role) => {
    const { connection } = database;
    await using owner = await createRole(database);
    const readme = await Deno.readTextFile("lib/io/postgres/README.md");
    const [, grants] = readme.match(/```sql\n(grant usage on schema [^`]+)```/)!;
    await connection.query({
      text: `
        grant create on schema public to ${owner.name};
        ${grants!.replaceAll("lottery_worker", role.name).replaceAll("lottery_owner", owner.name)}`,
    });
    await using migrating = new Connection(owner.url);
    await migrate(migrating);
    await using worker = new Connection(role.url);
    assert.deepEqual(await missingGrants(worker), []);
  },
);

rightsTest(
  "migrate() needs no right but to read where nothing is missing, and waits for nobody",
  async ({ connection }, role) => {
    await migrate(connection);
    await connection.query({ text: `grant select on lottery_migrations to ${role.name}` });
    await using reader = new Connection(role.url);
    await connection.transaction(async () => {
      await connection.query({ text: "lock table lottery_migrations in exclusive mode" });
      assert.deepEqual(await migrate(reader), []);
    });
  },
);

rightsTest(
  "migrate() is held up by no lock that a role can take which only reads",
  async ({ connection, url }, role) => {
    await migrate(connection);
    await connection.query({
      text: `grant select on all tables in schema public to ${role.name}`,
    });
    await takeBackLastMigration(connection);
    await using reader = new Connection(role.url);
    await reader.transaction(async () => {
      await reader.query({ text: "lock table lottery_migrations in access share mode" });
      await reader.query({ text: "select pg_advisory_lock(4902716533)" });
      await reader.query({ text: "select from lottery_migrations" });
      await using migrating = new Connection(url);
      assert.deepEqual(await migrate(migrating), [LAST_MIGRATION]);
    });
    const lock = "do $$ begin lock table lottery_migrations in share mode; end $$";
    for (const text of [lock, "select from pipeline for key share"]) {
      await assert.rejects(reader.query({ text }), /lacks a required right/);
    }
  },
);

rightsTest(
  "migrate() says whose tables they are if another role has to bring them up to date",
  async ({ connection }, role) => {
    await migrate(connection);
    await using worker = new Connection(role.url);
    for (const grant of await missingGrants(worker)) await connection.query({ text: grant });
    await takeBackLastMigration(connection);
    for (const look of [migrate, assertUsable]) {
      await assert.rejects(
        look(worker),
        /they belong to (\w+),.*Run `migrate` as \1, or let \1/,
      );
    }
  },
);

rightsTest(
  "migrate() says so if the search_path names no schema that the role may use",
  async ({ connection }, role) => {
    await connection.query({ text: `alter role ${role.name} set search_path = nowhere, "No One"` });
    await using worker = new Connection(role.url);
    for (const look of [migrate, assertUsable]) {
      await assert.rejects(look(worker), (error: Error) => {
        assert.ok(error instanceof OperatorError, String(error));
        assert.match(error.message, /search_path of the role test_\w+ is nowhere, "No One"/);
        assert.doesNotMatch(error.message, /null/);
        return true;
      });
    }
  },
);

rightsTest("createDatabase() says so if the role may create none", async (_database, role) => {
  const url = Object.assign(new URL(role.url), { pathname: "/not_there" });
  await assert.rejects(createMissing(url.href), /Grant it with `alter role … createdb`/);
});

serverTest(
  "createDatabase() needs no database `postgres`, and says so if there is no other either",
  ["initdb"],
  async () => {
    await using directory = await temporaryDirectory();
    const server = await Postgres.start(directory.path);
    using _server = { [Symbol.dispose]: () => server.stop() };
    const database = (name: string) =>
      Object.assign(new URL(server.url), { pathname: `/${name}` }).href;
    await using connection = new Connection(database("template1"));
    await connection.query({ text: "drop database postgres" });
    assert.equal(await createMissing(database("lottery_db")), true);
    assert.equal(await createMissing(database("lottery_db")), false);
    await using created = new Connection(database("lottery_db"));
    await created.query({ text: "alter database template1 allow_connections false" });
    await connection[Symbol.asyncDispose]();
    assert.equal(await createMissing(database("lottery_db")), false);
    await assert.rejects(
      createMissing(database("another")),
      /a session in the database postgres or template1.*Create it with your provider's tools/,
    );
  },
);

serverTest(
  "a partition that is missing is told as one, not as a constraint",
  ["postgres"],
  async () => {
    await using database = await createDatabase();
    const { connection } = database;
    await connection.query({
      text: `
        create table parted (n integer) partition by range (n);
        create table first_part partition of parted for values from (0) to (10)`,
    });
    await assert.rejects(
      connection.query({ text: "insert into parted values (11)" }),
      (error: Error) => {
        assert.ok(error instanceof OperatorError);
        assert.match(error.message, /table parted is partitioned, and has no partition.*\(11\)/);
        assert.match(error.message, /Create the partition/);
        return true;
      },
    );
  },
);

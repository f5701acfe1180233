import assert from "node:assert/strict";
import { OperatorError } from "../../../../lib/core/failure.ts";
import { DeadLetterStore } from "../../../../lib/io/postgres/dead_letters.ts";
import { migrate } from "../../../../lib/io/postgres/schema/migrate.ts";
import { Connection } from "../../../../lib/io/postgres/session/connection.ts";
import { HOSTILE_SETTINGS, makeHostile } from "../../../support/hostile_settings.ts";
import { createDatabase } from "../../../support/postgres.ts";
import { createRole } from "../../../support/role.ts";
import { serverTest } from "../../../support/servers.ts";
import { commitOf } from "../../../support/sink_contract.ts";
import { IDENTITY, openPostgresHarness, openSink } from "../harness.ts";

serverTest(
  "Connection sets what counting depends on, whatever database, role and URL say",
  ["postgres"],
  async () => {
    await using database = await createDatabase();
    await using role = await createRole(database, "superuser");
    await makeHostile(database, role);
    const url = new URL(role.url);
    url.searchParams.set("statement_timeout", "1234");
    url.searchParams.set("options", "-c DateStyle=SQL -c lock_timeout=2");
    await using connection = new Connection(url.href);
    for (const { name, ours } of HOSTILE_SETTINGS) {
      const rows = await connection.query({
        text: "select current_setting($1) as setting",
        values: [name],
      });
      assert.deepEqual(rows, [{ setting: ours }], name);
    }
  },
);

serverTest(
  "Connection requires an operator where only a superuser could turn triggers on again",
  ["postgres"],
  async () => {
    await using database = await createDatabase();
    await using role = await createRole(database);
    await database.connection.query({
      text: `alter role ${role.name} set session_replication_role = 'replica'`,
    });
    await using connection = new Connection(role.url);
    await assert.rejects(connection.query({ text: "select 1" }), (error: Error) => {
      assert.ok(error instanceof OperatorError, String(error));
      assert.match(error.message, /Reset it as a superuser with `alter role … reset …`/);
      return true;
    });
  },
);

serverTest(
  "Connection finds its tables before others of their names, and else follows the role's search_path",
  ["postgres"],
  async () => {
    await using database = await createDatabase();
    await using role = await createRole(database, "superuser");
    await migrate(database.connection);
    await database.connection.query({
      text: `
        create schema ${role.name};
        create table ${role.name}.pipeline ();
        create table ${role.name}.mine ();
        alter role ${role.name} set search_path = "$user", public`,
    });
    await using connection = new Connection(role.url);
    assert.deepEqual(
      await connection.query({
        text: `
          select
            'pipeline'::regclass = 'public.pipeline'::regclass as is_ours,
            to_regclass('mine') is not null as has_others,
            current_schema()::text as schema`,
      }),
      [{ is_ours: true, has_others: true, schema: "public" }],
    );
  },
);

serverTest(
  "Connection requires an operator where row security hides rows",
  ["postgres"],
  async () => {
    await using database = await createDatabase();
    await using role = await createRole(database);
    await database.connection.query({
      text: `
        create table counted (n integer);
        alter table counted enable row level security;
        create policy few on counted using (n > 1);
        grant select on counted to ${role.name}`,
    });
    await using connection = new Connection(role.url);
    await assert.rejects(
      connection.query({ text: "select * from counted" }),
      (error) =>
        error instanceof OperatorError && /Row security hides rows of a table/.test(error.message),
    );
  },
);

for (
  const [what, text] of [
    ["a time in another style", "set DateStyle = 'German'; select now()"],
    ["a time without an end", "select 'infinity'::timestamptz"],
    ["a time that no Date can be", "select '290000-01-01'::timestamptz"],
    ["a number beyond 2^53", "select 9007199254740993"],
    ["what is no number", "select 'NaN'::float8"],
    [
      "a time without a zone in another style",
      "set DateStyle = 'SQL, DMY'; select '2026-01-31'::timestamp",
    ],
  ] as const
) {
  serverTest(
    `Connection rejects a query that answers with ${what}, and goes on`,
    ["postgres"],
    async () => {
      await using database = await createDatabase();
      const pid = () => database.connection.query({ text: "select pg_backend_pid()" });
      const before = await pid();
      await assert.rejects(database.connection.query({ text }), RangeError);
      assert.deepEqual(await pid(), before);
    },
  );
}

serverTest(
  "counts are changed in read committed only: others do not see what was published or deleted",
  ["postgres"],
  async () => {
    await using database = await createDatabase();
    await using harness = await openPostgresHarness(database.url);
    const { connection } = harness;
    const store = new DeadLetterStore(connection, IDENTITY.topic);
    const ways = [
      () => openSink(connection).commit(commitOf([[0, 0, 1]])),
      async () => void await store.replay([], await store.rules()),
    ];
    for (const isolation of ["repeatable read", "serializable"]) {
      for (const count of ways) {
        await assert.rejects(
          connection.transaction(async () => {
            await connection.query({ text: `set transaction isolation level ${isolation}` });
            await count();
          }),
          new RegExp(`in read committed only, but this transaction is ${isolation}`),
        );
      }
    }
  },
);

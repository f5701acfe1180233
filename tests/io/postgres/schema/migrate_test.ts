import assert from "node:assert/strict";
import { OperatorError } from "../../../../lib/core/failure.ts";
import { claimPipeline, type Identity } from "../../../../lib/io/postgres/identity.ts";
import { createDatabase as createMissing } from "../../../../lib/io/postgres/schema/create_database.ts";
import { migrate } from "../../../../lib/io/postgres/schema/migrate.ts";
import { Connection } from "../../../../lib/io/postgres/session/connection.ts";
import { eventually } from "../../../support/eventually.ts";
import { LAST_MIGRATION, takeBackLastMigration } from "../../../support/last_migration.ts";
import { createDatabase, type TestDatabase } from "../../../support/postgres.ts";
import { databaseName } from "../../../support/role.ts";
import { serverTest } from "../../../support/servers.ts";
import { IDENTITY, ORIGIN } from "../harness.ts";

function migrateTest(rule: string, body: (database: TestDatabase) => Promise<void>): void {
  serverTest(rule, ["postgres"], async () => {
    await using database = await createDatabase();
    await body(database);
  });
}

migrateTest("migrate() applies everything once", async ({ connection }) => {
  assert.ok((await migrate(connection)).length > 0);
  assert.deepEqual(await migrate(connection), []);
});

for (const isolation of ["read committed", "repeatable read", "serializable"]) {
  migrateTest(
    `migrate() and claimPipeline() are safe with several starting at once, ${isolation} by default`,
    async ({ connection, url }) => {
      await connection.query({
        text: `alter database ${
          databaseName(url)
        } set default_transaction_isolation = '${isolation}'`,
      });
      const applied = await Promise.all(Array.from({ length: 5 }, async () => {
        await using connection = new Connection(url);
        const names = await migrate(connection);
        assert.equal(await claimPipeline(connection, { identity: IDENTITY, origin: ORIGIN }), 1);
        return names;
      }));
      assert.equal(applied.filter((names) => names.length > 0).length, 1);
    },
  );
}

migrateTest(
  "migrate() refuses the replaced system's table, says how to rename it, and changes nothing",
  async ({ connection }) => {
    await connection.query({
      text:
        "create table lottery_aggregates (window_start timestamp, lottery_name varchar, event_type varchar, event_count bigint)",
    });
    await assert.rejects(
      migrate(connection),
      (error: Error) =>
        error instanceof OperatorError &&
        /alter table lottery_aggregates rename to/.test(error.message),
    );
    assert.deepEqual(
      await connection.query({ text: "select to_regclass('kafka_offsets') as oid" }),
      [{ oid: null }],
    );

    await connection.query({
      text: "alter table lottery_aggregates rename to lottery_aggregates_old",
    });
    assert.ok((await migrate(connection)).length > 0);
  },
);

migrateTest(
  "migrate() locks all tables before it changes any, and tries again where it and a worker wait for each other",
  async ({ connection, url }) => {
    await migrate(connection);
    await takeBackLastMigration(connection);
    const patient = new URL(url);
    patient.searchParams.set("options", "-c deadlock_timeout=7s");
    await using migrating = new Connection(patient.href);
    await using worker = new Connection(url);
    let migrated: Promise<string[]> | undefined;
    await worker.transaction(async () => {
      await worker.query({ text: "set local deadlock_timeout = '1min'" });
      await worker.query({ text: "lock table workers in row exclusive mode" }); // no part of the migration
      migrated = migrate(migrating);
      await eventually(async () => {
        const waiting = await connection.query({
          text: `
            select from pg_stat_activity
            where datname = current_database() and wait_event_type = 'Lock'
              and query like 'lock table%'`,
        });
        return waiting.length > 0;
      });
      await worker.query({ text: "select from kafka_offsets" });
    });
    assert.deepEqual(await migrated, [LAST_MIGRATION]);
  },
);

serverTest("migrate() refuses a database that is not UTF-8", ["postgres"], async () => {
  await using neighbour = await createDatabase();
  const url = new URL(neighbour.url);
  const name = `${url.pathname.slice(1)}_latin1`;
  await neighbour.connection.query({
    text: `create database ${name} encoding 'LATIN1' locale 'C' template template0`,
  });
  try {
    url.pathname = `/${name}`;
    await using connection = new Connection(url.href);
    await assert.rejects(migrate(connection), /encoding is LATIN1/);
  } finally {
    await neighbour.connection.query({ text: `drop database ${name} with (force)` });
  }
});

serverTest(
  "createDatabase() creates a database once, whatever it is called",
  ["postgres"],
  async () => {
    await using neighbour = await createDatabase();
    const name = `odd "name ü ${crypto.randomUUID()}`;
    const url = new URL(neighbour.url);
    url.pathname = `/${encodeURIComponent(name)}`;
    assert.equal(await createMissing(url.href), true);
    try {
      assert.equal(await createMissing(url.href), false);
      await using connection = new Connection(url.href);
      assert.ok((await migrate(connection)).length > 0);
    } finally {
      await neighbour.connection.query({
        text: `drop database "${name.replaceAll('"', '""')}" with (force)`,
      });
    }
  },
);

migrateTest(
  "claimPipeline() keeps the first settings and names each that differs later",
  async ({ connection }) => {
    await migrate(connection);
    const claim = (identity: Identity) => claimPipeline(connection, { identity, origin: ORIGIN });
    assert.equal(await claim(IDENTITY), 1);
    assert.equal(await claim(IDENTITY), 1);
    await assert.rejects(
      claim({ ...IDENTITY, windowSeconds: 300, topic: "others" }),
      (error: Error) =>
        error instanceof OperatorError &&
        /KAFKA_TOPIC is others, but was user-events/.test(error.message) &&
        /WINDOW_SECONDS is 300, but was 60/.test(error.message) &&
        !/KAFKA_GROUP_ID/.test(error.message),
    );
  },
);

Deno.test("migrations only add, so that the version before keeps working beside the new one", async () => {
  const directory = "lib/io/postgres/schema/migrations";
  const files = await Array.fromAsync(Deno.readDir(directory), ({ name }) => name);
  assert.ok(files.length > 2);
  for (const file of files) {
    const code = (await Deno.readTextFile(`${directory}/${file}`)).replaceAll(/--.*$/gm, "");
    assert.doesNotMatch(code, /\b(drop|rename|truncate)\b|\balter\s+column\b/i, file);
  }
});

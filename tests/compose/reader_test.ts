import assert from "node:assert/strict";
import { migrate } from "../../lib/io/postgres/schema/migrate.ts";
import { Connection } from "../../lib/io/postgres/session/connection.ts";
import { sqlStateOf } from "../../lib/io/postgres/session/errors.ts";
import { readCompose } from "../support/compose.ts";
import { createReader, readerUrl } from "../support/grafana.ts";
import { createDatabase, Postgres } from "../support/postgres.ts";
import { serverTest } from "../support/servers.ts";
import { temporaryDirectory } from "../support/temporary_directory.ts";

async function assertNotAllowed(connection: Connection, text: string): Promise<void> {
  await assert.rejects(
    connection.query({ text }),
    (error) => sqlStateOf(error) === "42501",
    text,
  );
}

serverTest(
  "the role that Grafana has reads every table that the migrations make, and changes nothing",
  ["postgres", "psql"],
  async () => {
    await using directory = await temporaryDirectory();
    const postgres = await Postgres.start(directory.path);
    using _server = { [Symbol.dispose]: () => postgres.stop() };
    const database = await createDatabase(postgres.url);
    await using admin = database.connection;
    // As the container does: first the role, then, some time, the tables.
    await createReader(database.url, "a 'first' password");
    await migrate(admin);
    await using grafana = new Connection(readerUrl(database.url, "a 'first' password"));
    const tables = await admin.query<{ name: string }>({
      text: "select tablename::text as name from pg_tables where schemaname = 'public'",
    });
    assert.ok(tables.length >= 7);
    for (const { name } of tables) {
      await grafana.query({ text: `select * from ${name}` });
      for (
        const text of [
          `insert into ${name} default values`,
          `delete from ${name}`,
          `truncate ${name}`,
          `drop table ${name}`,
        ]
      ) {
        await assertNotAllowed(grafana, text);
      }
    }
    await assertNotAllowed(grafana, "create table mine ()");
    const [{ jit }] = await grafana.query<{ jit: string }>({ text: "show jit" }) as [
      { jit: string },
    ];
    assert.equal(jit, "off");
    const [role] = await admin.query({
      text: "select rolsuper, rolcreaterole, rolcreatedb from pg_roles where rolname = 'grafana'",
    });
    assert.deepEqual(role, { rolsuper: false, rolcreaterole: false, rolcreatedb: false });

    await createReader(database.url, "second");
    await using renewed = new Connection(readerUrl(database.url, "second"));
    await renewed.query({ text: "select 1" });
  },
);

serverTest(
  "a worker needs no right but that to make tables",
  ["postgres", "psql"],
  async () => {
    await using database = await createDatabase();
    const { connection: superuser, url } = database;
    const name = `worker_${crypto.randomUUID().replaceAll("-", "")}`;
    await superuser.query({ text: `create role ${name} login password 'worker'` });
    await using _role = {
      [Symbol.asyncDispose]: async () => {
        await superuser.query({ text: `drop owned by ${name} cascade` });
        await superuser.query({ text: `drop role ${name}` });
      },
    };
    await superuser.query({ text: `grant create on schema public to ${name}` });
    const workers = Object.assign(new URL(url), { username: name, password: "worker" });
    await using worker = new Connection(workers.href);
    assert.notDeepEqual(await migrate(worker), []);
  },
);

Deno.test("the script that makes the role is the one that the database container runs", async () => {
  const { postgres } = (await readCompose()).services;
  assert.ok(
    postgres!.volumes!.includes(
      "./grafana/create-reader.sh:/docker-entrypoint-initdb.d/create-reader.sh:ro",
    ),
  );
});

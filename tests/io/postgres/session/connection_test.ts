import assert from "node:assert/strict";
import { isPassing, OperatorError, UnavailableError } from "../../../../lib/core/failure.ts";
import { Connection } from "../../../../lib/io/postgres/session/connection.ts";
import { sqlStateOf } from "../../../../lib/io/postgres/session/errors.ts";
import { eventually } from "../../../support/eventually.ts";
import { freePort } from "../../../support/free_port.ts";
import { createDatabase } from "../../../support/postgres.ts";
import { serverTest } from "../../../support/servers.ts";

serverTest(
  "Connection rejects a query whose backend is killed, and opens another",
  ["postgres"],
  async () => {
    await using database = await createDatabase();
    await using victim = new Connection(database.url);
    const [row] = await victim.query<{ pid: number }>({ text: "select pg_backend_pid() as pid" });
    const sleeping = assert.rejects(
      victim.query({ text: "select pg_sleep(60)" }),
      (error) => error instanceof UnavailableError && isPassing(error),
    );
    await database.connection.query({
      text: "select pg_terminate_backend($1)",
      values: [row!.pid],
    });
    await sleeping;
    assert.deepEqual(await victim.query({ text: "select 1 as one" }), [{ one: 1 }]);
  },
);

serverTest("Connection survives a backend that is killed while idle", ["postgres"], async () => {
  await using database = await createDatabase();
  await using victim = new Connection(database.url);
  const [row] = await victim.query<{ pid: number }>({ text: "select pg_backend_pid() as pid" });
  await database.connection.query({ text: "select pg_terminate_backend($1)", values: [row!.pid] });
  await victim.query({ text: "select 1" }).catch((error) => assert.ok(isPassing(error)));
  assert.deepEqual(await victim.query({ text: "select 1 as one" }), [{ one: 1 }]);
});

serverTest("Connection keeps its session after a statement that fails", ["postgres"], async () => {
  await using database = await createDatabase();
  const pid = () => database.connection.query({ text: "select pg_backend_pid()" });
  const before = await pid();
  await assert.rejects(
    database.connection.query({ text: "select 1 / 0" }),
    (error) => sqlStateOf(error) === "22012",
  );
  assert.deepEqual(await pid(), before);
});

serverTest(
  "Connection closes a session that is not used for a while, and opens another when it is",
  ["postgres"],
  async () => {
    await using database = await createDatabase();
    await using connection = new Connection(database.url, "idle", { idleMs: 50 });
    const sessions = async () =>
      (await database.connection.query({
        text: "select from pg_stat_activity where application_name = 'idle'",
      })).length;
    for (const _ of [0, 1]) {
      await connection.query({ text: "select pg_sleep(0.2)" }); // longer than it may be idle
      await connection.query({ text: "select 1" });
      await eventually(async () => await sessions() === 0);
    }
  },
);

serverTest("Connection.transaction() undoes everything when it fails", ["postgres"], async () => {
  await using database = await createDatabase();
  const { connection } = database;
  await assert.rejects(
    connection.transaction(async () => {
      await connection.query({ text: "create table half (id integer)" });
      throw new Error("stop");
    }),
    /stop/,
  );
  assert.deepEqual(await connection.query({ text: "select to_regclass('half') as half" }), [{
    half: null,
  }]);
});

serverTest("Connection names the setting when the password is wrong or the database is missing", [
  "postgres",
], async () => {
  await using database = await createDatabase();
  const wrongPassword = new URL(database.url);
  wrongPassword.password = "hunter2";
  const missing = new URL(database.url);
  missing.pathname = "/not_there";
  for (
    const [url, message] of [
      [wrongPassword, /rejects the user or password. Check DATABASE_URL/],
      [missing, /does not exist. Create it with `migrate --create-database`/],
    ] as const
  ) {
    await using connection = new Connection(url.href);
    await assert.rejects(connection.query({ text: "select 1" }), (error: Error) => {
      assert.ok(error instanceof OperatorError);
      assert.match(error.message, message);
      assert.doesNotMatch(error.message, /hunter2/);
      return true;
    });
  }
});

Deno.test("Connection waits for a server that is away", async () => {
  await using connection = new Connection(
    `postgres://admin:hunter2@127.0.0.1:${freePort()}/lottery_db`,
  );
  await assert.rejects(connection.query({ text: "select 1" }), (error: Error) => {
    assert.ok(error instanceof UnavailableError && isPassing(error));
    assert.match(error.message, /DATABASE_URL/);
    assert.doesNotMatch(error.message, /hunter2/);
    return true;
  });
});

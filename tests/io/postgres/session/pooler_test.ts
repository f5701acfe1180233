import assert from "node:assert/strict";
// @ts-types="@types/pg"
import pg from "pg";
import { OperatorError, UnavailableError } from "../../../../lib/core/failure.ts";
import { Connection } from "../../../../lib/io/postgres/session/connection.ts";
import { makeLines } from "../../../support/event_lines.ts";
import { eventually } from "../../../support/eventually.ts";
import { Expectation } from "../../../support/expectation.ts";
import { kcatProduce } from "../../../support/kcat.ts";
import { PgBouncer } from "../../../support/pgbouncer.ts";
import { createDatabase, Postgres } from "../../../support/postgres.ts";
import { serverTest } from "../../../support/servers.ts";
import { openStack } from "../../../support/stack.ts";
import { temporaryDirectory } from "../../../support/temporary_directory.ts";
import { runProgram } from "../../../support/worker_process.ts";

const LENT =
  /gives each transaction another session.*Set pool_mode=session.*point DATABASE_URL directly at/;

const LIMITS = `
  select
    current_setting('lock_timeout') as lock_timeout,
    current_setting('statement_timeout') as statement_timeout`;

/** A client of the pooler that is none of ours. */
async function openForeign(url: string): Promise<pg.Client & AsyncDisposable> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  return Object.assign(client, { [Symbol.asyncDispose]: () => client.end() });
}

serverTest(
  "start counts through a PgBouncer that pools sessions, with nothing set in it for us",
  ["kafka", "postgres", "pgbouncer"],
  async () => {
    await using stack = await openStack();
    await using pooler = await PgBouncer.start(stack.database.url, { poolMode: "session" });
    const expected = new Expectation();
    await kcatProduce(stack.topic, makeLines(2_000, expected));
    const env = { ...stack.env, DATABASE_URL: pooler.url };
    const { code, stderr } = await runProgram(["start", "--once"], { env });
    assert.equal(code, 0, stderr);
    await expected.assertStored(stack.database.connection);
    await using connection = new Connection(pooler.url);
    assert.deepEqual(await connection.query({ text: LIMITS }), [
      { lock_timeout: "10s", statement_timeout: "20s" },
    ]);
  },
);

for (const poolMode of ["transaction", "statement"] as const) {
  serverTest(
    `start and doctor refuse a PgBouncer that pools ${poolMode}s, and set nothing for its others`,
    ["kafka", "postgres", "pgbouncer"],
    async () => {
      await using stack = await openStack();
      await using pooler = await PgBouncer.start(stack.database.url, { poolMode });
      const env = { ...stack.env, DATABASE_URL: pooler.url };
      for (const command of ["start", "doctor"]) {
        const { code, stdout, stderr } = await runProgram([command], { env });
        assert.equal(code, 1);
        assert.match(stdout + stderr, LENT);
      }
      await using foreign = await openForeign(pooler.url);
      const { rows } = await foreign.query(LIMITS);
      assert.deepEqual(rows, [{ lock_timeout: "0", statement_timeout: "0" }]);
    },
  );
}

serverTest(
  "Connection finds out that transactions are pooled, also while others use the pooler",
  ["postgres", "pgbouncer"],
  async () => {
    await using database = await createDatabase();
    for (const server_round_robin of ["0", "1"]) {
      await using pooler = await PgBouncer.start(database.url, {
        poolMode: "transaction",
        settings: { server_round_robin, default_pool_size: "4", min_pool_size: "4" },
      });
      await assertLent(pooler.url);
      await using first = await openForeign(pooler.url);
      await using second = await openForeign(pooler.url);
      let isOver = false;
      const busy = [first, second].map(async (client) => {
        while (!isOver) await client.query("select pg_sleep(0.001)");
      });
      for (let round = 0; round < 10; round++) await assertLent(pooler.url);
      isOver = true;
      await Promise.all(busy);
    }
  },
);

serverTest(
  "Connection takes no pooler of transactions for one of sessions because it is overloaded",
  ["postgres", "pgbouncer"],
  async () => {
    await using database = await createDatabase();
    await using pooler = await PgBouncer.start(database.url, {
      poolMode: "transaction",
      settings: { default_pool_size: "1" },
    });
    await using clients = new AsyncDisposableStack();
    let isOver = false;
    const busy = [];
    for (let n = 0; n < 3; n++) {
      const client = clients.use(await openForeign(pooler.url));
      busy.push((async () => {
        while (!isOver) await client.query("select pg_sleep(1.5)");
      })());
    }
    await using connection = new Connection(pooler.url);
    await assert.rejects(
      connection.query({ text: "select 1" }),
      (error: Error) =>
        error instanceof UnavailableError && /all sessions are in use/.test(error.message),
    );
    isOver = true;
    await Promise.all(busy);
    await assertLent(pooler.url);
  },
);

async function assertLent(url: string): Promise<void> {
  await using connection = new Connection(url);
  await assert.rejects(
    connection.query({ text: "select 1" }),
    (error) => error instanceof OperatorError && LENT.test(error.message),
  );
}

serverTest(
  "Connection uses the last session of a pooler that has no other for a second connection",
  ["postgres", "pgbouncer"],
  async () => {
    await using database = await createDatabase();
    await using pooler = await PgBouncer.start(database.url, {
      poolMode: "session",
      settings: { default_pool_size: "1" },
    });
    await using connection = new Connection(pooler.url);
    assert.deepEqual(await connection.query({ text: "select 1 as one" }), [{ one: 1 }]);
  },
);

serverTest(
  "Connection waits for a server that is away behind a pooler, and goes on when it is back",
  ["initdb", "pgbouncer"],
  async () => {
    await using directory = await temporaryDirectory();
    const server = await Postgres.start(directory.path);
    using _server = { [Symbol.dispose]: () => server.stop() };
    await using pooler = await PgBouncer.start(server.url, {
      poolMode: "session",
      settings: { query_wait_timeout: "1", server_login_retry: "1" },
    });
    await using connection = new Connection(pooler.url);
    await connection.query({ text: "select 1" });
    server.stop();
    const answer = () => connection.query({ text: "select 1 as one" }).catch((error) => error);
    for (let refusals = 0; refusals < 3;) { // the first answer may still be one of the server
      if (await answer() instanceof UnavailableError) refusals++;
    }
    await server.restart();
    assert.deepEqual(
      await eventually(async () => {
        const rows = await answer();
        return rows instanceof UnavailableError ? false : rows;
      }),
      [{ one: 1 }],
    );
  },
);

for (
  const [what, change, message] of [
    ["a wrong password", (url: URL) => void (url.password = "hunter2"), /rejects the user or pass/],
    ["a missing database", (url: URL) => void (url.pathname = "/nope"), /it does not exist/],
    [
      "a parameter that it does not know",
      (url: URL) => url.searchParams.set("options", "-c work_mem=1MB"),
      /refuses a parameter of DATABASE_URL or PGOPTIONS.*ignore_startup_parameters/,
    ],
  ] as const
) {
  serverTest(
    `Connection says that a pooler refuses ${what}`,
    ["postgres", "pgbouncer"],
    async () => {
      await using database = await createDatabase();
      await using pooler = await PgBouncer.start(database.url, { poolMode: "session" });
      const url = new URL(pooler.url);
      change(url);
      await using connection = new Connection(url.href);
      await assert.rejects(
        connection.query({ text: "select 1" }),
        (error) => error instanceof OperatorError && message.test(error.message),
      );
    },
  );
}

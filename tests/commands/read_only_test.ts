import assert from "node:assert/strict";
import { Connection } from "../../lib/io/postgres/session/connection.ts";
import { makeLines } from "../support/event_lines.ts";
import { eventually } from "../support/eventually.ts";
import { Expectation } from "../support/expectation.ts";
import { createTopic } from "../support/kafka.ts";
import { kcatProduce } from "../support/kcat.ts";
import { createDatabase, Postgres } from "../support/postgres.ts";
import { createRole, databaseName } from "../support/role.ts";
import { serverTest } from "../support/servers.ts";
import { openStack, recordsRead } from "../support/stack.ts";
import { temporaryDirectory } from "../support/temporary_directory.ts";
import { Program, runProgram } from "../support/worker_process.ts";

/** What both commands say that try a database which only reads. */
async function assertTold(env: Record<string, string>, message: RegExp): Promise<void> {
  for (const command of [["doctor"], ["start", "--once"]]) {
    const { code, stdout, stderr } = await runProgram(command, { env });
    assert.equal(code, 1);
    assert.match(stdout + stderr, message);
  }
}

for (const isCounted of [false, true]) {
  serverTest(
    `a database that is read-only by default is told by doctor and start, ${
      isCounted ? "with counts in it" : "empty"
    }, and counted into once it is not`,
    ["kafka", "postgres"],
    async () => {
      await using stack = await openStack();
      const { connection } = stack.database;
      await using role = await createRole(stack.database, "superuser");
      const env = { ...stack.env, DATABASE_URL: role.url };
      const expected = new Expectation();
      if (isCounted) {
        await kcatProduce(stack.topic, makeLines(500, expected));
        const { code, stderr } = await runProgram(["start", "--once"], { env });
        assert.equal(code, 0, stderr);
      }
      await kcatProduce(stack.topic, makeLines(500, expected));
      const name = databaseName(role.url);
      for (
        const owner of [
          `database ${name}`,
          `role ${role.name}`,
          `role ${role.name} in database ${name}`,
        ]
      ) {
        await connection.query({
          text: `alter ${owner} set default_transaction_read_only = on`,
        });
        await assertTold(
          env,
          new RegExp(
            `is read-only: default_transaction_read_only is on\\. Reset it with .alter ${owner} reset`,
          ),
        );
        await connection.query({ text: `alter ${owner} reset default_transaction_read_only` });
      }

      await connection.query({
        text: `alter role ${role.name} set default_transaction_read_only = on`,
      });
      await using worker = await Program.start(["start"], { env });
      await worker.printed(/Waiting for PostgreSQL.* is read-only: default_transaction_read_only/);
      await connection.query({
        text: `alter role ${role.name} reset default_transaction_read_only`,
      });
      await eventually(async () =>
        await recordsRead(stack.database).catch(() => 0) === (isCounted ? 1_000 : 500)
      );
      await expected.assertStored(connection);
    },
  );
}

serverTest(
  "a standby is told by doctor and start, and counted into once it is promoted",
  ["kafka", "initdb", "pg_basebackup"],
  async () => {
    await using directory = await temporaryDirectory();
    await using standbyDirectory = await temporaryDirectory();
    const primary = await Postgres.start(directory.path);
    using _primary = { [Symbol.dispose]: () => primary.stop() };
    const database = await createDatabase(primary.url);
    await using _connection = database.connection;
    await using topic = await createTopic();
    const expected = new Expectation();
    const env = {
      KAFKA_BROKERS: topic.brokers,
      KAFKA_TOPIC: topic.name,
      KAFKA_GROUP_ID: topic.config.groupId,
      DATABASE_URL: database.url,
    };
    await kcatProduce(topic, makeLines(500, expected));
    const first = await runProgram(["start", "--once"], { env });
    assert.equal(first.code, 0, first.stderr);

    const standby = await primary.startStandby(standbyDirectory.path);
    using _standby = { [Symbol.dispose]: () => standby.stop() };
    const standbyUrl = Object.assign(new URL(database.url), { port: new URL(standby.url).port });
    const standbyEnv = { ...env, DATABASE_URL: standbyUrl.href };
    await assertTold(
      standbyEnv,
      /is read-only: it is a standby\. Set DATABASE_URL to the primary/,
    );
    const reset = await runProgram(["reset", "--recount", "--yes"], { env: standbyEnv });
    assert.equal(reset.code, 1);
    assert.match(reset.stderr, /is read-only: it is a standby/);
    for (const command of ["audit", "status"]) {
      const { code, stdout, stderr } = await runProgram([command], { env: standbyEnv });
      assert.equal(code, 0, `${command}: ${stdout}${stderr}`);
    }

    await using worker = await Program.start(["start"], { env: standbyEnv });
    await worker.printed(/Waiting for PostgreSQL.* is read-only: it is a standby/);
    await using promoted = new Connection(standbyUrl.href);
    await promoted.query({ text: "select pg_promote()" });
    await kcatProduce(topic, makeLines(500, expected));
    await eventually(async () => {
      const [row] = await promoted.query<{ records: number }>({
        text: "select sum(counted + dead)::bigint as records from kafka_offsets",
      });
      return row!.records === 1_000;
    });
    await expected.assertStored(promoted);
  },
);

import assert from "node:assert/strict";
import { UnavailableError } from "../../../../lib/core/failure.ts";
import { Connection } from "../../../../lib/io/postgres/session/connection.ts";
import { makeLines } from "../../../support/event_lines.ts";
import { Expectation } from "../../../support/expectation.ts";
import { createTopic } from "../../../support/kafka.ts";
import { kcatProduce } from "../../../support/kcat.ts";
import { Postgres } from "../../../support/postgres.ts";
import { serverTest } from "../../../support/servers.ts";
import { runProgram, taskFlags } from "../../../support/worker_process.ts";

/** A server of one test. */
async function openPostgres(): Promise<{ readonly postgres: Postgres } & AsyncDisposable> {
  const directory = await Deno.makeTempDir({ prefix: "lottery-events-socket-" });
  const postgres = await Postgres.start(directory);
  return {
    postgres,
    [Symbol.asyncDispose]: async () => {
      postgres.stop();
      await Deno.remove(directory, { recursive: true }).catch(() => {});
    },
  };
}

serverTest(
  "every command counts through a Unix socket, with the flag that the refusal names",
  ["kafka", "initdb"],
  async () => {
    await using server = await openPostgres();
    await using topic = await createTopic();
    const expected = new Expectation();
    await kcatProduce(topic, makeLines(1_000, expected));
    const url = server.postgres.socketUrl.replace("/postgres?", "/lottery_db?");
    const env = {
      KAFKA_BROKERS: topic.brokers,
      KAFKA_TOPIC: topic.name,
      DATABASE_URL: url,
    };
    const refused = await runProgram(["doctor"], { env });
    assert.equal(refused.code, 1);
    const [, flag] = refused.stdout.match(
      /^FAIL {2}PostgreSQL admin@\/.*\/lottery_db: Cannot open PostgreSQL's socket .* Add (--allow-write=[^ ]+) to the flags of deno run/m,
    )!;
    const run = async (...args: string[]) => {
      const flags = [...await taskFlags(args[0]!), flag!];
      const { code, stdout, stderr } = await runProgram(args, { env, flags });
      assert.equal(code, 0, stdout + stderr);
    };
    await run("migrate", "--create-database");
    await run("doctor");
    await run("start", "--once");
    for (const command of ["status", "audit"]) await run(command);
    await using connection = new Connection(url);
    await expected.assertStored(connection);
  },
);

serverTest(
  "a socket is found by the encoded host, with TLS asked for in vain",
  ["initdb"],
  async () => {
    await using server = await openPostgres();
    const byParameter = new URL(server.postgres.socketUrl.replace("@/", "@localhost/"));
    const { host, port } = Object.fromEntries(byParameter.searchParams);
    const url = `postgres://admin:admin@${encodeURIComponent(host!)}:${port}/postgres`;
    for (const each of [url, `${url}?sslmode=require`, server.postgres.socketUrl]) {
      await using connection = new Connection(each);
      assert.deepEqual(await connection.query({ text: "select 1 as one" }), [{ one: 1 }]);
    }
    server.postgres.stop();
    await using connection = new Connection(url);
    await assert.rejects(connection.query({ text: "select" }), UnavailableError);
  },
);

Deno.test("a socket that is not there is waited for, as a server that is not there", async () => {
  await using connection = new Connection("postgres://admin:secret@/db?host=/tmp/not-there");
  await assert.rejects(connection.query({ text: "select" }), (error) => {
    assert.ok(error instanceof UnavailableError);
    assert.match(error.message, /^Cannot reach PostgreSQL at admin@\/tmp\/not-there\/db\. /);
    return true;
  });
});

import assert from "node:assert/strict";
import { PostgresAlertClaims } from "../../../lib/io/postgres/alert_claims.ts";
import { migrate } from "../../../lib/io/postgres/schema/migrate.ts";
import { Connection } from "../../../lib/io/postgres/session/connection.ts";
import { freePort } from "../../support/free_port.ts";
import { createDatabase } from "../../support/postgres.ts";
import { serverTest } from "../../support/servers.ts";

const INTERVAL_MS = 900_000;

serverTest("PostgresAlertClaims lets one of several workers mail about a cause in an interval", [
  "postgres",
], async () => {
  await using database = await createDatabase();
  await migrate(database.connection);
  await using another = new Connection(database.url);
  const workers = [database.connection, another].map((connection) =>
    new PostgresAlertClaims(connection, () => false)
  );
  const claimAll = (cause: string) =>
    Promise.all([...workers, ...workers].map((worker) => worker.claim(cause, INTERVAL_MS)));
  const mailing = (answers: readonly (number | null)[]) => answers.filter((each) => each !== null);

  assert.deepEqual(mailing(await claimAll("kafka_away")), [0]);
  assert.deepEqual(mailing(await claimAll("postgres_away")), [0], "another cause");
  assert.deepEqual(mailing(await claimAll("kafka_away")), []);

  await database.connection.query({
    text: "update alerts set mailed_at = mailed_at - interval '901 s' where cause = 'kafka_away'",
  });
  assert.deepEqual(mailing(await claimAll("kafka_away")), [7], "3 and 4 in vain since the last");
  assert.deepEqual(mailing(await claimAll("postgres_away")), [], "its interval is not over");

  const [{ connection }, worker] = [database, workers[0]!];
  await connection.transaction(async () => { // in which it is always the same time
    assert.equal(await worker.claim("in one microsecond", INTERVAL_MS), 0);
    assert.equal(await worker.claim("in one microsecond", INTERVAL_MS), null);
  });
});

Deno.test("PostgresAlertClaims lets the first worker mail when there is no database to agree in", async () => {
  const url = `postgres://nobody@127.0.0.1:${freePort()}/nothing`;
  await using connection = new Connection(url);
  const first = new PostgresAlertClaims(connection, () => true);
  const other = new PostgresAlertClaims(connection, () => false);
  assert.equal(await other.claim("postgres_away", INTERVAL_MS), null);
  assert.equal(await first.claim("postgres_away", INTERVAL_MS), 0);
  assert.equal(await first.claim("postgres_away", INTERVAL_MS), null, "not again so soon");
  assert.equal(await first.claim("kafka_away", INTERVAL_MS), 0);
});

Deno.test("PostgresAlertClaims does not wait for a database that hangs", async () => {
  using silent = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  await using connection = new Connection(
    `postgres://nobody@127.0.0.1:${silent.addr.port}/nothing`,
  );
  const claims = new PostgresAlertClaims(connection, () => true);
  assert.equal(await claims.claim("stopped", INTERVAL_MS), 0);
});

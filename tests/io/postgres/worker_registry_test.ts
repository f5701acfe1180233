import assert from "node:assert/strict";
import { Connection } from "../../../lib/io/postgres/connection.ts";
import { migrate } from "../../../lib/io/postgres/migrate.ts";
import { WorkerRegistry } from "../../../lib/io/postgres/worker_registry.ts";
import { eventually } from "../../support/eventually.ts";
import { createDatabase } from "../../support/postgres.ts";
import { serverTest } from "../../support/servers.ts";

/** A worker with a session of its name. */
async function enter(url: string, id: string) {
  const connection = new Connection(url, id);
  const registry = new WorkerRegistry(connection, { id, host: `host of ${id}` });
  await registry.enter();
  return { connection, registry };
}

serverTest(
  "WorkerRegistry tells of a worker that left no word, to one only, and not at once",
  ["postgres"],
  async () => {
    await using database = await createDatabase();
    await migrate(database.connection);
    const [a, b, killed, left] = await Promise.all(
      ["a", "b", "killed", "left"].map((id) => enter(database.url, id)),
    );
    await left!.registry.leave();
    await left!.connection[Symbol.asyncDispose]();
    await killed!.connection[Symbol.asyncDispose]();
    await eventually(async () => {
      const sessions = await database.connection.query({
        text: "select from pg_stat_activity where application_name = 'killed'",
      });
      return sessions.length === 0;
    });

    assert.deepEqual(await a!.registry.takeDead(1_000), [], "it may be connecting anew");
    assert.deepEqual(await b!.registry.takeDead(1_000), []);
    assert.deepEqual(await a!.registry.takeDead(20_000), []);
    const [dead, ...others] = await a!.registry.takeDead(21_000);
    assert.deepEqual([dead!.id, dead!.host], ["killed", "host of killed"]);
    assert.deepEqual(others, [], "the others are connected, or have left");
    assert.deepEqual(await b!.registry.takeDead(21_000), [], "it was told already");
    for (const { connection } of [a!, b!]) await connection[Symbol.asyncDispose]();
  },
);

serverTest("WorkerRegistry does not tell of a worker that is back in time, and counts anew", [
  "postgres",
], async () => {
  await using database = await createDatabase();
  await migrate(database.connection);
  const a = await enter(database.url, "a");
  const b = await enter(database.url, "b");
  const endSession = async () => {
    await b.connection[Symbol.asyncDispose]();
    await eventually(async () => {
      const sessions = await a.connection.query({
        text: "select from pg_stat_activity where application_name = 'b'",
      });
      return sessions.length === 0;
    });
  };
  await endSession();
  assert.deepEqual(await a.registry.takeDead(0), []);
  await b.registry.enter(); // its connection opens anew
  assert.deepEqual(await a.registry.takeDead(19_000), []);
  await endSession();
  assert.deepEqual(
    await a.registry.takeDead(25_000),
    [],
    "missing since now, not since the first time",
  );
  for (const { connection } of [a, b]) await connection[Symbol.asyncDispose]();
});

import assert from "node:assert/strict";
import { migrate } from "../../../lib/io/postgres/schema/migrate.ts";
import { Connection } from "../../../lib/io/postgres/session/connection.ts";
import { listWorkers, WorkerRegistry } from "../../../lib/io/postgres/worker_registry.ts";
import { createDatabase, type TestDatabase } from "../../support/postgres.ts";
import { serverTest } from "../../support/servers.ts";

/** A database that workers of these names have entered, on one connection. */
async function enter(...ids: string[]): Promise<{
  readonly database: TestDatabase;
  readonly workers: readonly WorkerRegistry[];
}> {
  const database = await createDatabase();
  const { connection } = database;
  await migrate(connection);
  const workers = ids.map((id) => new WorkerRegistry(connection, { id, host: `host of ${id}` }));
  for (const worker of workers) await worker.renew([]);
  return { database, workers };
}

/** So much later, as each row sees it: renewed and steady for so much longer. */
async function wait({ connection }: TestDatabase, seconds: number): Promise<void> {
  await connection.query({
    text: `
      update workers
      set seen_at = seen_at - $1::integer * interval '1 s',
        steady_since = steady_since - $1::integer * interval '1 s'`,
    values: [seconds],
  });
}

async function living({ connection }: TestDatabase): Promise<string[]> {
  return (await listWorkers(connection)).filter(({ isAlive }) => isAlive).map(({ id }) => id);
}

serverTest("WorkerRegistry tells of a worker that left no word, to one only, and not at once", [
  "postgres",
], async () => {
  const { database, workers: [a, b, , left] } = await enter("a", "b", "killed", "left");
  await using _database = database;
  await left!.leave();
  for (let seconds = 0; seconds < 20; seconds += 5) {
    for (const worker of [a!, b!]) {
      await worker.renew([]);
      assert.deepEqual(await worker.takeDead(), [], "it may be late");
    }
    await wait(database, 5);
  }
  for (const worker of [a!, b!]) await worker.renew([]);
  assert.deepEqual(await living(database), ["a", "b"]);
  const told = await Promise.all([a!.takeDead(), b!.takeDead()]);
  assert.deepEqual(told.flat().map(({ id, host }) => [id, host]), [["killed", "host of killed"]]);
  assert.deepEqual((await listWorkers(database.connection)).map(({ id }) => id), ["a", "b"]);
});

serverTest(
  "WorkerRegistry takes nobody for dead that had no chance to renew its entry",
  ["postgres"],
  async () => {
    const { database, workers: [a, b] } = await enter("a", "b");
    await using _database = database;
    const { connection } = database;
    // The database was away for an hour, or its clock was set ahead; or it was set back.
    for (const change of ["interval '1 hour'", "-interval '1 hour'"]) {
      await connection.query({
        text:
          `update workers set seen_at = now() - ${change}, steady_since = now() - interval '1 day'`,
      });
      assert.deepEqual(await living(database), []);
      await a!.renew([]);
      assert.deepEqual(await a!.takeDead(), []);
      await b!.renew([]);
      assert.deepEqual(await living(database), ["a", "b"]);
      assert.deepEqual(await a!.takeDead(), []);
    }
    // One that has just come does not know who was there before.
    await wait(database, 3_600);
    const fresh = new WorkerRegistry(connection, { id: "fresh", host: "here" });
    await fresh.renew([]);
    assert.deepEqual(await fresh.takeDead(), []);
  },
);

serverTest(
  "WorkerRegistry lets one that was taken for dead come back, with its partitions",
  ["postgres"],
  async () => {
    const { database, workers: [a, thawed] } = await enter("a", "thawed");
    await using _database = database;
    for (let looks = 0; looks < 5; looks++) {
      await wait(database, 5);
      await a!.renew([0]);
    }
    assert.deepEqual((await a!.takeDead()).map(({ id }) => id), ["thawed"]);
    await thawed!.renew([1, 2]);
    const workers = await listWorkers(database.connection);
    assert.deepEqual(workers.map(({ id, partitions, isAlive }) => [id, partitions, isAlive]), [
      ["a", [0], true],
      ["thawed", [1, 2], true],
    ]);
  },
);

serverTest("WorkerRegistry does not judge a worker of the version before", [
  "postgres",
], async () => {
  const { database, workers: [a] } = await enter("a");
  await using _database = database;
  await database.connection.query({
    text: "insert into workers (id, host) values ('old', 'h') on conflict do nothing",
  });
  await wait(database, 19);
  await a!.renew([]);
  await wait(database, 19);
  await a!.renew([]);
  assert.deepEqual(await a!.takeDead(), []);
  assert.deepEqual(await living(database), ["a"]);
});

serverTest(
  "WorkerRegistry enters and judges by the database's clock, whatever the worker's says",
  ["postgres"],
  async () => {
    const { database, workers: [a, , gone] } = await enter("a", "b", "gone");
    await using _database = database;
    const { connection } = database;
    const { now } = Date;
    for (const hours of [5, -5]) {
      await gone!.renew([]);
      await connection.query({
        text: `
          update workers
          set seen_at = clock_timestamp() - case id when 'gone' then 60 else 1 end * interval '1 s',
            steady_since = clock_timestamp() - interval '1 hour'`,
      });
      const fresh = new WorkerRegistry(connection, { id: `fresh ${hours}`, host: "here" });
      Date.now = () => now() + hours * 3_600_000;
      try {
        await fresh.renew([0]);
        await a!.renew([0]);
        assert.deepEqual(await fresh.takeDead(), [], "it has just come");
        assert.deepEqual((await a!.takeDead()).map(({ id }) => id), ["gone"]);
        assert.deepEqual(await a!.takeDead(), []);
      } finally {
        Date.now = now;
      }
      const rows = await connection.query<{ id: string; seconds: number; steady: number }>({
        text: `
          select
            id,
            extract(epoch from clock_timestamp() - seen_at)::float8 as seconds,
            extract(epoch from clock_timestamp() - steady_since)::float8 as steady
          from workers
          where id in ('a', $1)`,
        values: [`fresh ${hours}`],
      });
      assert.equal(rows.length, 2);
      for (const { id, seconds, steady } of rows) {
        assert.ok(seconds >= 0 && seconds < 60, `${id} is entered ${seconds} s ago`);
        assert.equal(steady > 3_000, id === "a", `${id} is steady for ${steady} s`);
      }
      const alive = await living(database);
      assert.ok(alive.includes("a") && alive.includes("b"), alive.join());
    }
  },
);

serverTest(
  "a worker lives by its entry, whatever its sessions are called",
  ["postgres"],
  async () => {
    const { database } = await enter("lottery-worker-1");
    await using _database = database;
    const url = new URL(database.url);
    url.searchParams.set("application_name", "x");
    await using named = new Connection(url.href, "lottery-worker-2");
    await named.query({ text: "select 1" });
    assert.deepEqual(await living(database), ["lottery-worker-1"]);
  },
);

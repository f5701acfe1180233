import assert from "node:assert/strict";
import { UnavailableError } from "../../lib/core/failure.ts";
import { migrate } from "../../lib/io/postgres/schema/migrate.ts";
import { Connection } from "../../lib/io/postgres/session/connection.ts";
import { listWorkers } from "../../lib/io/postgres/worker_registry.ts";
import { WorkerState } from "../../lib/observers/worker_state.ts";
import { Heartbeat } from "../../lib/worker/heartbeat.ts";
import { eventually } from "../support/eventually.ts";
import { createDatabase } from "../support/postgres.ts";
import { serverTest } from "../support/servers.ts";
import { TcpProxy } from "../support/tcp_proxy.ts";

serverTest(
  "a worker that ends takes its entry back, also one whose answer was lost",
  ["postgres"],
  async () => {
    await using database = await createDatabase();
    await migrate(database.connection);
    const url = new URL(database.url);
    await using proxy = new TcpProxy({ hostname: url.hostname, port: Number(url.port) });
    Object.assign(url, { hostname: "127.0.0.1", port: String(proxy.port) });
    const workers = () => database.connection.query({ text: "select id from workers" });
    {
      await using heartbeat = new Heartbeat({
        connection: new Connection(url.href),
        workerId: "lost",
        host: "here",
        state: new WorkerState(),
        onDeath: () => {},
      });
      proxy.cutAnswersTo("insert into workers");
      await assert.rejects(heartbeat.begin(), UnavailableError);
      assert.equal((await workers()).length, 1);
      proxy.cutAnswersTo(null);
    }
    assert.deepEqual(await workers(), []);
  },
);

serverTest("a worker does not say that it counts what it cannot read", ["postgres"], async () => {
  await using database = await createDatabase();
  const { connection } = database;
  await migrate(connection);
  const state = new WorkerState();
  await using heartbeat = new Heartbeat({
    connection: new Connection(database.url),
    workerId: "a",
    host: "here",
    state,
    onDeath: () => {},
  });
  const says = (partitions: readonly number[]) =>
    eventually(async () => {
      const [worker] = await listWorkers(connection);
      return JSON.stringify(worker!.partitions) === JSON.stringify(partitions);
    });
  state.positioned(new Map([[1, 100], [0, 200]]));
  await heartbeat.begin();
  await says([0, 1]);
  state.unavailable(new Map([[1, "its broker does not answer"]]));
  await says([0]);
  state.unavailable(new Map());
  await says([0, 1]);
});

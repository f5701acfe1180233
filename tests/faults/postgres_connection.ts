import assert from "node:assert/strict";
import { eventually } from "../support/eventually.ts";
import { type FaultStand, faultTest } from "../support/fault_stand.ts";
import { TcpProxy } from "../support/tcp_proxy.ts";

/** A worker whose database lies behind a proxy. */
async function behindProxy(
  stand: FaultStand,
  body: (proxy: TcpProxy, env: Record<string, string>) => Promise<void>,
): Promise<void> {
  const url = new URL(stand.database.url);
  await using proxy = new TcpProxy({ hostname: url.hostname, port: Number(url.port) });
  url.port = String(proxy.port);
  await body(proxy, stand.env(url.href));
}

faultTest(
  "a connection that is cut between the commit and its answer: counted once",
  {},
  async (stand) => {
    await behindProxy(stand, async (proxy, env) => {
      await using _worker = await stand.startWorker(env);
      await stand.whileProducing(async () => {
        await stand.progress();
        for (let round = 1; round <= 5; round++) {
          proxy.cutAnswersTo("commit_counts");
          await eventually(() => proxy.cuts >= round);
          proxy.cutAnswersTo(null);
          await stand.progress();
        }
      });
      await stand.assertExact();
    });
  },
);

faultTest(
  "a connection that hangs without being closed is given up, and nothing is counted twice",
  {},
  async (stand) => {
    await behindProxy(stand, async (proxy, env) => {
      await using worker = await stand.startWorker(env);
      await stand.whileProducing(async () => {
        await stand.progress();
        proxy.hang();
        await eventually(() => /Waiting for PostgreSQL/.test(worker.stderr));
        proxy.resume();
        await stand.progress();
      });
      await stand.assertExact();
    });
  },
);

faultTest("a database that is 200 ms away is only slower", {}, async (stand) => {
  await behindProxy(stand, async (proxy, env) => {
    proxy.latencyMs = 200;
    await using worker = await stand.startWorker(env);
    await stand.produce(50_000);
    await stand.assertExact();
    worker.signal("SIGTERM");
    assert.equal(await worker.exitCode(), 0, worker.stderr);
  });
});

faultTest(
  "a database that is restored from an older backup is recounted from there",
  {},
  async (stand) => {
    const { connection } = stand.database;
    const tables = ["kafka_offsets", "lottery_aggregates", "lottery_hours", "dead_letters"];
    await using _worker = await stand.startWorker();
    await stand.produce(10_000);
    await stand.caughtUp();
    for (const table of tables) {
      await connection.query({ text: `create table backup_${table} as table ${table}` });
    }
    await stand.produce(10_000);
    await stand.caughtUp();
    await connection.transaction(async () => {
      for (const table of tables) {
        await connection.query({ text: `delete from ${table}` });
        await connection.query({ text: `insert into ${table} table backup_${table}` });
      }
    });
    await stand.produce(1_000);
    await stand.assertExact();
  },
);

faultTest("a dead letter that comes twice is kept once", {}, async (stand) => {
  const { connection } = stand.database;
  await using worker = await stand.startWorker();
  await stand.produce(5_000);
  await stand.caughtUp();
  worker.signal("SIGTERM");
  await worker.exitCode();
  // Counts and offsets are taken back, dead letters are left: they come again.
  await connection.query({ text: "delete from lottery_aggregates; delete from lottery_hours" });
  await connection.query({ text: "delete from kafka_offsets" });
  await using _next = await stand.startWorker();
  await stand.produce(1_000);
  await stand.assertExact();
});

for (const signal of ["SIGTERM", "SIGINT"] as const) {
  faultTest(`${signal} during an outage ends the worker within 10 s, with 0`, {
    ownsPostgres: true,
  }, async (stand) => {
    await using worker = await stand.startWorker();
    await stand.produce(20_000);
    await stand.progress();
    stand.postgres!.stop();
    await stand.produce(20_000);
    await worker.printed(/Waiting for PostgreSQL/);
    await assertEndsInTime(worker, signal);
    await stand.postgres!.restart();
    await using _next = await stand.startWorker();
    await stand.assertExact();
  });
}

faultTest(
  "SIGTERM while the database hangs ends the worker within 10 s, with 0",
  {},
  async (stand) => {
    await behindProxy(stand, async (proxy, env) => {
      {
        await using worker = await stand.startWorker(env);
        await stand.produce(2_000);
        await stand.progress();
        const [, url] = await worker.printed(/Page on (http:[^ ]+\/),/);
        proxy.hang();
        await stand.produce(20_000);
        const page = fetch(url!).catch(() => {}); // a look at the page hangs, too
        await assertEndsInTime(worker, "SIGTERM");
        await page;
        proxy.resume();
      }
      await using _next = await stand.startWorker(env);
      await stand.assertExact();
    });
  },
);

async function assertEndsInTime(
  worker: {
    signal(signal: Deno.Signal): void;
    exitCode(): Promise<number>;
    readonly stderr: string;
  },
  signal: Deno.Signal,
): Promise<void> {
  const askedAt = performance.now();
  worker.signal(signal);
  assert.equal(await worker.exitCode(), 0, worker.stderr);
  const seconds = (performance.now() - askedAt) / 1000;
  assert.ok(seconds < 10, `it took ${seconds} s`);
}

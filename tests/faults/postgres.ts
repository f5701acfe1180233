import assert from "node:assert/strict";
import { eventually } from "../support/eventually.ts";
import { type FaultStand, faultTest } from "../support/fault_stand.ts";
import { MailServer } from "../support/mail_server.ts";
import { TcpProxy } from "../support/tcp_proxy.ts";

/** Looks at `/readyz` of a worker. */
async function readiness(url: string): Promise<number> {
  return (await fetch(`${url}readyz`)).status;
}

faultTest(
  "PostgreSQL stops at once and comes back: reading pauses, one line says so, one mail, one more when it is over",
  { ownsPostgres: true },
  async (stand) => {
    await using mails = await MailServer.start();
    const env = {
      ...stand.env(),
      ...mails.env,
      ALERT_AFTER_SECONDS: "5",
      ALERT_DEAD_LETTERS_PER_MINUTE: "1000000",
    };
    await using first = await stand.startWorker(env);
    await using second = await stand.startWorker(env);
    const [, url] = await first.printed(/Page on (http:[^ ]+\/),/);
    await stand.whileProducing(async () => {
      await stand.progress();
      stand.postgres!.stop();
      await eventually(async () => await readiness(url!) === 503);
      const mail = await mails.received(/PostgreSQL is away/);
      assert.match(mail.text, /See whether the server of DATABASE_URL runs/);
      await stand.postgres!.restart();
      await stand.database.connection.query({ text: "select 1" }).catch(() => {});
      await mails.received(/Recovered: PostgreSQL is there again/);
      await stand.progress();
    });
    assert.equal(await readiness(url!), 200);
    await stand.assertExact();
    const subjects = mails.mails.map(({ subject }) => subject);
    assert.equal(subjects.length, 2, `two workers, one outage: ${subjects.join(" / ")}`);
    for (const worker of [first, second]) {
      const lines = worker.stderr.split("\n");
      assert.equal(lines.filter((line) => line.includes("Waiting for PostgreSQL")).length, 1);
      assert.equal(lines.filter((line) => line.includes("PostgreSQL is there after")).length, 1);
    }
  },
);

/** Makes every commit fail with an SQLSTATE, until it is called again with null. */
async function failCommits({ database }: FaultStand, sqlstate: string | null): Promise<void> {
  await database.connection.query({
    text: sqlstate === null ? "drop trigger fail on kafka_offsets" : `
      create or replace function fail() returns trigger language plpgsql as $$
      begin raise exception 'made to fail' using errcode = '${sqlstate}'; end $$;
      create trigger fail before update on kafka_offsets execute function fail()`,
  });
}

for (
  const [what, sqlstate] of [["a full disk", "53100"], ["a deadlock", "40P01"], [
    "a cancelled statement",
    "57014",
  ]] as const
) {
  faultTest(`${what} (${sqlstate}) is waited for`, {}, async (stand) => {
    await using worker = await stand.startWorker();
    await stand.produce(2_000);
    await stand.progress();
    await failCommits(stand, sqlstate);
    await stand.produce(20_000);
    await worker.printed(/Waiting for PostgreSQL.*made to fail/);
    await failCommits(stand, null);
    await worker.printed(/PostgreSQL is there/);
    await stand.assertExact();
  });
}

faultTest("a database that is read-only is waited for", {}, async (stand) => {
  const { connection, url } = stand.database;
  const name = new URL(url).pathname.slice(1);
  const disconnectOthers = () =>
    connection.query({
      text:
        "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()",
    });
  await using worker = await stand.startWorker();
  await stand.produce(2_000);
  await stand.progress();
  await connection.query({ text: `alter database ${name} set default_transaction_read_only = on` });
  await disconnectOthers();
  await stand.produce(20_000);
  await worker.printed(/Waiting for PostgreSQL/);
  await connection.query({
    text: `alter database ${name} set default_transaction_read_only = off`,
  });
  await disconnectOthers();
  await stand.assertExact();
});

faultTest(
  "a row that the database refuses after our own validation stops the worker, and nothing is committed",
  {},
  async (stand) => {
    await stand.produce(100);
    {
      await using worker = await stand.startWorker();
      await stand.caughtUp();
      worker.signal("SIGTERM");
      await worker.exitCode();
    }
    const before = await stand.recordsRead();
    await stand.database.connection.query({
      text:
        "alter table lottery_aggregates add constraint ours check (event_type <> 'pay') not valid",
    });
    await stand.produce(1_000);
    await using worker = await stand.startWorker();
    assert.equal(await worker.exitCode(), 1);
    assert.match(worker.stderr, /PostgreSQL refuses a row.*23514, constraint \\"ours\\"/);
    assert.equal(await stand.recordsRead(), before);
    await stand.database.connection.query({
      text: "alter table lottery_aggregates drop constraint ours",
    });
    await using _next = await stand.startWorker();
    await stand.assertExact();
  },
);

for (
  const [harm, message] of [
    [
      "alter table kafka_offsets rename to gone",
      /lacks a table, column or function.*"?kafka_offsets/,
    ],
    [
      "alter table lottery_aggregates drop column event_count",
      /lacks a table, column or function.*event_count/,
    ],
    ["drop function commit_counts", /lacks a table, column or function.*commit_counts/],
  ] as const
) {
  faultTest(`"${harm}" stops the worker with a sentence`, {}, async (stand) => {
    await using worker = await stand.startWorker();
    await stand.produce(100);
    await stand.progress();
    await stand.database.connection.query({ text: harm });
    await stand.produce(100);
    assert.equal(await worker.exitCode(), 1, worker.stderr);
    assert.match(worker.stderr, message);
  });
}

faultTest("a long lock on the table is waited for", {}, async (stand) => {
  const { connection } = stand.database;
  await using worker = await stand.startWorker();
  await stand.produce(2_000);
  await stand.progress();
  await connection.query({ text: "begin" });
  await connection.query({ text: "lock table lottery_aggregates in access exclusive mode" });
  await stand.produce(20_000);
  await worker.printed(/Waiting for PostgreSQL.*lock timeout/);
  await connection.query({ text: "commit" });
  await stand.assertExact();
});

faultTest("backends that are terminated during commits cost nothing", {}, async (stand) => {
  await using worker = await stand.startWorker({ ...stand.env(), COMMIT_INTERVAL_MS: "20" });
  await stand.whileProducing(async () => {
    for (let round = 0; round < 100; round++) {
      await stand.database.connection.query({
        text: `
          select pg_terminate_backend(pid) from pg_stat_activity
          where datname = current_database() and application_name like 'lottery-worker-%' and state = 'active'`,
      });
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  });
  await stand.assertExact();
  await worker.printed(/PostgreSQL is there/);
});

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
        await eventually(() => /Waiting for PostgreSQL/.test(worker.stderr), { timeoutMs: 60_000 });
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
    const tables = ["kafka_offsets", "lottery_aggregates", "dead_letters"];
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
  await connection.query({ text: "delete from lottery_aggregates" });
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

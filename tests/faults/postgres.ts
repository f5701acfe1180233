import assert from "node:assert/strict";
import { describe } from "../../lib/core/failure.ts";
import { migrate } from "../../lib/io/postgres/schema/migrate.ts";
import { eventually } from "../support/eventually.ts";
import { type FaultStand, faultTest } from "../support/fault_stand.ts";
import { kcatProduce } from "../support/kcat.ts";
import { MailServer } from "../support/mail_server.ts";
import { readiness, triedAgain } from "../support/worker_endpoints.ts";

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
    const [, otherUrl] = await second.printed(/Page on (http:[^ ]+\/),/);
    await stand.whileProducing(async () => {
      await stand.progress();
      stand.postgres!.stop();
      await eventually(async () => await readiness(url!) === 503);
      const mail = await mails.received(/PostgreSQL is unavailable/);
      assert.match(mail.text, /Check that the server of DATABASE_URL is running/);
      assert.match(mail.text, /^ {2}\d: next offset \d+, lag \d/m);
      // Long enough for the other worker to be about to mail as well.
      await Promise.all([url!, otherUrl!].map(triedAgain));
      await stand.postgres!.restart();
      await stand.database.connection.query({ text: "select 1" }).catch(() => {});
      await mails.received(/Recovered: PostgreSQL is back/);
      await stand.progress();
    });
    await stand.assertExact();
    await eventually(async () => await readiness(url!) === 200);
    const subjects = mails.mails.map(({ subject }) => subject);
    assert.equal(subjects.length, 2, `two workers, one outage: ${subjects.join(" / ")}`);
    for (const worker of [first, second]) {
      const lines = worker.stderr.split("\n");
      assert.equal(lines.filter((line) => line.includes("Waiting for PostgreSQL")).length, 1);
      assert.equal(lines.filter((line) => line.includes("PostgreSQL is back after")).length, 1);
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
    await worker.printed(/PostgreSQL is back/);
    await stand.assertExact();
  });
}

faultTest(
  "a database that tells but takes nothing is one outage: one line, one mail, not ready all the while",
  {},
  async (stand) => {
    await using mails = await MailServer.start();
    const env = {
      ...stand.env(),
      ...mails.env,
      ALERT_AFTER_SECONDS: "12", // longer than the time from one look at the watermark to the next
      ALERT_DEAD_LETTERS_PER_MINUTE: "1000000",
    };
    await using worker = await stand.startWorker(env);
    const [, url] = await worker.printed(/Page on (http:[^ ]+\/),/);
    await stand.produce(2_000);
    await stand.progress();
    await failCommits(stand, "53100");
    await stand.produce(20_000);
    await mails.received(/PostgreSQL is unavailable: made to fail/);
    assert.equal(await readiness(url!), 503);
    assert.equal(worker.stderr.match(/Waiting for PostgreSQL/g)?.length, 1);
    assert.doesNotMatch(worker.stderr, /PostgreSQL is back/);
    await failCommits(stand, null);
    await mails.received(/Recovered: PostgreSQL is back/);
    await stand.assertExact();
    assert.equal(mails.mails.length, 2);
  },
);

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
  const [harm, missing] of [
    ["alter table kafka_offsets rename to gone", "kafka_offsets"],
    ["alter table lottery_aggregates drop column event_count cascade", "event_count"],
    [dropFunctions("commit_counts"), "commit_counts"],
  ] as const
) {
  faultTest(
    `a schema that has lost ${missing} stops the worker with a sentence`,
    {},
    async (stand) => {
      await using worker = await stand.startWorker();
      await stand.produce(100);
      await stand.progress();
      await stand.database.connection.query({ text: harm });
      await stand.produce(100);
      assert.equal(await worker.exitCode(), 1, worker.stderr);
      assert.match(worker.stderr, new RegExp(`lacks a table, column or function.*${missing}`));
    },
  );
}

/** Drops every function of a name, whatever its parameters. */
function dropFunctions(name: string): string {
  return `
    do $$ declare signature regprocedure; begin
      for signature in select oid from pg_proc where proname = '${name}' loop
        execute 'drop function ' || signature;
      end loop;
    end $$`;
}

faultTest("a long lock on the table is waited for", {}, async (stand) => {
  const { connection } = stand.database;
  await using worker = await stand.startWorker();
  await stand.produce(2_000);
  await stand.progress();
  await connection.query({ text: "set idle_in_transaction_session_timeout = 0" });
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
    const isHit = () => /Waiting for PostgreSQL/.test(worker.stderr);
    for (let round = 0; round < 100 || (round < 1_000 && !isHit()); round++) {
      await stand.database.connection.query({
        text: `
          select pg_terminate_backend(pid) from pg_stat_activity
          where datname = current_database() and application_name like 'lottery-worker-%' and state = 'active'`,
      });
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  });
  await stand.assertExact();
  await worker.printed(/PostgreSQL is back/);
});

faultTest(
  "a database that is too slow for a large commit gets smaller ones",
  { partitions: 1 },
  async (stand) => {
    const lines = Array.from(
      { length: 5_000 },
      (_, n) =>
        JSON.stringify({ lottery_name: `lottery ${n}`, event_type: "pay", timestamp: Date.now() }),
    );
    // A record batch is never cut, so these are not all in one.
    while (lines.length > 0) await kcatProduce(stand.topic, lines.splice(0, 500));
    await migrate(stand.database.connection);
    // As a foreign trigger does that takes its time for each row: too long for some thousand.
    await stand.database.connection.query({
      text: `
        create function slow() returns trigger language plpgsql as $$
        begin perform pg_sleep(0.007); return new; end $$;
        create trigger slow before insert on lottery_aggregates for each row execute function slow()`,
    });
    await using worker = await stand.startWorker();
    await worker.printed(/Cannot commit this much/);
    await stand.caughtUp();
    await stand.assertExact();
  },
);

faultTest(
  "a database that is too slow for any commit is one outage, and mailed",
  { partitions: 1 },
  async (stand) => {
    await using mails = await MailServer.start();
    await using worker = await stand.startWorker({ ...stand.env(), ...mails.env });
    await stand.produce(500);
    await stand.caughtUp();
    const { connection } = stand.database;
    await connection.query({
      text: `
        create function slow() returns trigger language plpgsql as $$
        begin perform pg_sleep(60); return new; end $$;
        create trigger slow before insert on lottery_aggregates for each statement execute function slow()`,
    });
    await stand.produce(500);
    await mails.received(/PostgreSQL is unavailable: Cannot commit this much/);
    assert.equal(worker.stderr.match(/Waiting for PostgreSQL/g)?.length, 1);
    // Between two commits, which hold the table.
    await eventually(() => connection.query({ text: "drop trigger slow on lottery_aggregates" }));
    await mails.received(/Recovered: PostgreSQL is back/);
    await stand.assertExact();
  },
);

faultTest(
  "a PostgreSQL that speaks German is understood",
  { ownsPostgres: true, postgresLanguage: "de_DE" },
  async (stand) => {
    await assert.rejects(
      stand.database.connection.query({ text: "select 1 / 0" }),
      (error) => /Division durch Null/.test(describe(error)),
    );
    await using worker = await stand.startWorker({ ...stand.env(), COMMIT_INTERVAL_MS: "1000" });
    await stand.produce(5_000);
    await stand.caughtUp();
    // Taken back under its feet: its next commit is fenced.
    await stand.database.connection.query({
      text: "delete from lottery_aggregates; delete from lottery_hours",
    });
    await stand.database.connection.query({ text: "delete from dead_letters" });
    await stand.database.connection.query({
      text: `
        update kafka_offsets
        set next_offset = 0, counted = 0, dead = 0, last_batch_offset = null, last_batch_crc = null`,
    });
    await stand.produce(1_000);
    await worker.printed(/Another worker has committed: counting again/);
    await stand.assertExact();
  },
);

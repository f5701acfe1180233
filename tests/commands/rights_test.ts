import assert from "node:assert/strict";
import { Connection } from "../../lib/io/postgres/session/connection.ts";
import { eventually } from "../support/eventually.ts";
import { run } from "../support/guarded_process.ts";
import { createTopic } from "../support/kafka.ts";
import { kcatProduce } from "../support/kcat.ts";
import {
  LAST_FUNCTIONS,
  LAST_MIGRATION,
  takeBackLastMigration,
} from "../support/last_migration.ts";
import type { TestDatabase } from "../support/postgres.ts";
import { allPublished, closeWindows, eventLines } from "../support/published.ts";
import { assertRecounted } from "../support/recount.ts";
import { createRole } from "../support/role.ts";
import { serverTest } from "../support/servers.ts";
import { openStack, recordsRead } from "../support/stack.ts";
import { Program, runProgram } from "../support/worker_process.ts";

const DAY_MS = 86_400_000;

/** Runs the statements that `doctor` prints for a role. */
async function grantWhatDoctorSays(
  { connection }: TestDatabase,
  env: Readonly<Record<string, string>>,
): Promise<void> {
  const { code, stdout } = await runProgram(["doctor"], { env });
  assert.equal(code, 1, stdout);
  const [, grants] = stdout.match(/^FAIL {2}PostgreSQL .* lacks rights .* run: (grant .*;)$/m)!;
  await connection.query({ text: grants! });
  const granted = await runProgram(["doctor"], { env });
  assert.equal(granted.code, 0, granted.stdout);
}

serverTest(
  "a role that owns nothing does all that workers do, with the rights that doctor says and no others",
  ["kafka", "postgres"],
  async () => {
    await using stack = await openStack({ partitions: 2 });
    await using output = await createTopic({ partitions: 1 });
    const { topic, database } = stack;
    await using owner = await createRole(database);
    await using role = await createRole(database);
    await using reader = await createRole(database);
    await database.connection.query({ text: `grant create on schema public to ${owner.name}` });
    const migrated = await runProgram(["migrate"], {
      env: { ...stack.env, DATABASE_URL: owner.url },
    });
    assert.equal(migrated.code, 0, migrated.stderr);

    const env = {
      ...stack.env,
      DATABASE_URL: role.url,
      KAFKA_OUTPUT_TOPIC: output.name,
      GRACE_SECONDS: "0",
    };
    const refused = await runProgram(["start"], { env });
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /lacks rights that counting needs.* run: grant select on table /);
    await grantWhatDoctorSays(database, env);

    const lines = eventLines();
    const old = { lottery_name: "keno", event_type: "pay", timestamp: Date.now() - 40 * DAY_MS };
    const seconds = { ...old, timestamp: Math.floor(Date.now() / 1000) - 600 };
    await kcatProduce(topic, [...lines, JSON.stringify(old), JSON.stringify(seconds)]);
    await kcatProduce(topic, Array.from({ length: 15_000 }, () => "{bad"));
    await closeWindows(topic);
    await using worker = await Program.start(["start"], { env });
    await eventually(async () => await recordsRead(database) === lines.length + 15_004, {
      timeoutMs: 60_000,
    });
    await allPublished(database.connection, lines.length + 1);
    worker.signal("SIGTERM");
    assert.equal(await worker.exitCode(), 0, worker.stderr);
    assert.doesNotMatch(worker.stderr, /Cannot (publish|delete)|lacks a required right/);

    const recount = await runProgram(["reset", "--recount", "--yes"], { env });
    assert.equal(recount.code, 1);
    assert.equal(recount.stdout, "", "no plan that cannot be followed");
    assert.match(recount.stderr, new RegExp(`Run .reset --recount. as ${owner.name}`));

    const replay = ["replay", "--reason", "timestamp_in_seconds", "--set", "timestamp=seconds"];
    const replayed = await runProgram(["dead-letters", ...replay], { env });
    assert.equal(replayed.code, 0, replayed.stdout + replayed.stderr);
    const retention = { AGGREGATES_RETENTION_DAYS: "30", DEAD_LETTERS_RETENTION_DAYS: "30" };
    await using next = await Program.start(["start"], { env: { ...env, ...retention } });
    await next.printed(/Reading 2 partitions/);
    await next.printed(/Deleted 1 rows of counts/);
    await allPublished(database.connection, lines.length + 1); // without the old one, and with the replayed one
    await database.connection.query({
      text: `grant select on all tables in schema public to ${reader.name}`,
    });
    for (const url of [role.url, reader.url]) {
      for (const command of ["audit", "status"]) {
        const { code, stdout, stderr } = await runProgram([command], {
          env: { ...env, DATABASE_URL: url },
        });
        assert.equal(code, 0, `${command}: ${stdout}${stderr}`);
      }
    }
  },
);

serverTest(
  "a worker that lacks one right does not start, and one that loses it says so once",
  ["kafka", "postgres"],
  async () => {
    await using stack = await openStack();
    const { connection } = stack.database;
    await using role = await createRole(stack.database);
    const env = { ...stack.env, DATABASE_URL: role.url };
    assert.equal((await runProgram(["migrate"], { env: stack.env })).code, 0);
    await grantWhatDoctorSays(stack.database, env);
    const revoke = { text: `revoke select on living_workers from ${role.name}` };
    await connection.query(revoke);
    const { code, stderr } = await runProgram(["start"], { env });
    assert.equal(code, 1, stderr);
    const [, grant] = stderr.match(/lacks rights that .* run: (grant select on table [^;]+;)/)!;
    await connection.query({ text: grant! });

    await using worker = await Program.start(["start"], { env });
    const [, page] = await worker.printed(/Page on (http:[^ ]+\/),/);
    await worker.printed(/"Reading \d/);
    await connection.query(revoke);
    for (
      const what of [
        "check which workers are running",
        "check whether all partitions are counted",
        "read the data for the page",
      ]
    ) {
      await (await fetch(`${page}api/status`)).body?.cancel();
      await worker.printed(
        new RegExp(`"error","message":"Cannot ${what}: .*lacks a required right`),
      );
    }
  },
);

serverTest(
  "what migrate --sql prints makes the same tables, and is all that a role without rights waits for",
  ["kafka", "postgres", "psql"],
  async () => {
    await using stack = await openStack();
    const { database, env } = stack;
    await using role = await createRole(database);
    const asRole = { ...env, DATABASE_URL: role.url };
    const refused = await runProgram(["doctor"], { env: asRole });
    assert.match(
      refused.stdout,
      /Grant it with `grant create on schema public to test_\w+`, or run what `migrate --sql` prints/,
    );
    const script = await runProgram(["migrate", "--sql"], { env: asRole });
    assert.equal(script.code, 0, script.stderr);
    await run("psql", ["--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", database.url], {
      stdin: script.stdout,
    });
    await grantWhatDoctorSays(database, asRole);
    await kcatProduce(stack.topic, eventLines().slice(0, 500));
    const counted = await runProgram(["start", "--once"], { env: asRole });
    assert.equal(counted.code, 0, counted.stderr);
    await assertRecounted(stack.topic, database.connection);

    const nothing = await runProgram(["migrate", "--sql"], { env: asRole });
    assert.equal(nothing.stdout, "-- Nothing is missing.\n");
    await takeBackLastMigration(database.connection);
    const one = await runProgram(["migrate", "--sql"], { env: asRole });
    const [head, ...migrations] = one.stdout.split(/\n\n(?=-- \d{4} )/);
    assert.match(
      head!,
      /^begin;\n\nset local role [^;]+;\n\nset local search_path to public;\n\nlock table kafka_offsets, .*;$/,
    );
    assert.deepEqual(migrations.map((each) => each.split("\n")[0]), [`-- ${LAST_MIGRATION}`]);
    assert.doesNotMatch(one.stdout, /create table/);
    await database.connection.query({ text: one.stdout });
    assert.equal(
      (await runProgram(["migrate", "--sql"], { env: asRole })).stdout,
      "-- Nothing is missing.\n",
    );
  },
);

serverTest(
  "what a superuser runs of migrate --sql belongs to the owner of the tables",
  ["postgres"],
  async () => {
    await using stack = await openStack();
    const { database: { connection, url } } = stack;
    await using owner = await createRole(stack.database);
    await connection.query({
      text: `
        create schema odd authorization ${owner.name};
        alter role ${owner.name} set search_path = odd`,
    });
    const asOwner = { ...stack.env, DATABASE_URL: owner.url };
    assert.equal((await runProgram(["migrate"], { env: asOwner })).code, 0);
    await using migrating = new Connection(owner.url);
    await takeBackLastMigration(migrating);
    const { stdout } = await runProgram(["migrate", "--sql"], { env: asOwner });
    await using superuser = new Connection(url);
    await superuser.query({ text: stdout });
    assert.deepEqual(
      await migrating.query({
        text: `
          select pg_get_userbyid(proowner)::text as owner, count(*) as functions
          from pg_proc
          where proname = any ($1) and pronamespace = 'odd'::regnamespace
          group by proowner`,
        values: [LAST_FUNCTIONS],
      }),
      [{ owner: owner.name, functions: LAST_FUNCTIONS.length }],
    );
  },
);

serverTest(
  "migrate --sql prints everything for a database that does not exist yet",
  ["postgres"],
  async () => {
    await using stack = await openStack();
    const missing = Object.assign(new URL(stack.database.url), { pathname: "/not_there" });
    const { code, stdout } = await runProgram(["migrate", "--sql"], {
      env: { ...stack.env, DATABASE_URL: missing.href },
    });
    assert.equal(code, 0);
    await using connection = new Connection(stack.database.url);
    await connection.query({ text: stdout });
    const { stderr } = await runProgram(["migrate"], { env: stack.env });
    assert.match(stderr, /is up to date/);
  },
);

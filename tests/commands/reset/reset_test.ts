import assert from "node:assert/strict";
import { WORKER_PREFIX } from "../../../lib/core/offsets/coverage.ts";
import { createKafka } from "../../../lib/io/kafka/client.ts";
import { ConsumerGroup } from "../../../lib/io/kafka/group/consumer_group.ts";
import { Connection } from "../../../lib/io/postgres/session/connection.ts";
import { auditReport, countAll, deleteRecords, eventsOf } from "../../support/audit_stand.ts";
import { makeLines } from "../../support/event_lines.ts";
import { eventually } from "../../support/eventually.ts";
import { assertBooksBalance, Expectation } from "../../support/expectation.ts";
import { JavaConsumer } from "../../support/java_consumer.ts";
import { createTopic, openAdmin } from "../../support/kafka.ts";
import { kcatProduce } from "../../support/kcat.ts";
import { createRole } from "../../support/role.ts";
import { serverTest } from "../../support/servers.ts";
import { openStack, recordsRead, type TestStack } from "../../support/stack.ts";
import { Program, runProgram } from "../../support/worker_process.ts";

type Env = Readonly<Record<string, string>>;

async function reset(
  { env }: { readonly env: Env },
  args: readonly string[],
  changes: Env = {},
): Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }> {
  return await runProgram(["reset", ...args], { env: { ...env, ...changes } });
}

/** What a reset of this stack shows first: where it would do what it then says. */
async function placesOf({ topic, database }: TestStack): Promise<string> {
  await using admin = await openAdmin(topic.brokers);
  const { clusterId } = await admin.describeCluster();
  const { username, host, pathname } = new URL(database.url);
  return `Database  ${username}@${host}${pathname}\n` +
    `Kafka     ${topic.name} at ${topic.config.brokers.join(", ")}, cluster ${clusterId}\n\n`;
}

async function epochOf({ database }: TestStack): Promise<number> {
  const [row] = await database.connection.query<{ epoch: number }>({
    text: "select epoch from pipeline",
  });
  return row!.epoch;
}

serverTest(
  "reset --recount deletes everything and counts the log anew, with other settings too",
  ["kafka", "postgres"],
  async () => {
    await using stack = await openStack();
    const { database: { connection }, topic, env } = stack;
    const expected = new Expectation();
    await kcatProduce(topic, makeLines(5_000, expected));
    await countAll(stack);
    await connection.query({ text: "update lottery_aggregates set event_count = 1" });
    const set = ["lottery_name=a", "event_type=b", "timestamp=record"];
    const replay = ["dead-letters", "replay", "--reason", "not_json", "--limit", "2"];
    await runProgram([...replay, ...set.flatMap((each) => ["--set", each])], { env });

    const unanswered = await reset(stack, ["--recount"]);
    assert.equal(unanswered.code, 1);
    assert.match(
      unanswered.stdout,
      /^Deletes all counts \([\d,]+ events\), 50 dead letters .*\nOf these, 2 replayed letters must be replayed again/m,
    );
    assert.match(
      unanswered.stderr,
      /confirmation is required, and standard input is not a terminal. Add --yes/,
    );
    assert.equal(await epochOf(stack), 1);
    assert.equal(await recordsRead(stack.database), 5_000);

    const { code, stderr } = await reset(stack, ["--recount", "--yes"]);
    assert.equal(code, 0, stderr);
    assert.equal(await epochOf(stack), 2);
    await countAll(stack);
    await expected.assertStored(connection);
    assert.equal((await auditReport(stack)).verdict, "agrees");

    const hours = { WINDOW_SECONDS: "3600" };
    assert.match(
      (await reset(stack, ["--recount", "--yes"], hours)).stdout,
      /WINDOW_SECONDS: 60 becomes 3600/,
    );
    const changed = { env: { ...env, ...hours } };
    await countAll(changed);
    assert.equal((await auditReport(changed)).verdict, "agrees");
  },
);

serverTest(
  "reset --recount needs the number of events when Kafka has deleted what was counted",
  ["kafka", "postgres"],
  async () => {
    await using stack = await openStack({ partitions: 1 });
    const fromMs = Math.floor(Date.now() / 60_000) * 60_000 - 3_600_000;
    await kcatProduce(stack.topic, eventsOf("a", { fromMs, minutes: 7, perMinute: 10 }));
    await countAll(stack);
    await deleteRecords(stack, new Map([[0, 20]]));
    for (const args of [[], ["--force", "69"]]) {
      const { code, stderr } = await reset(stack, ["--recount", "--yes", ...args]);
      assert.equal(code, 1);
      assert.match(
        stderr,
        /up to 70 records .* To delete their counts anyway, .* with --force 70/,
      );
    }
    assert.equal(await recordsRead(stack.database), 70);
    const { code, stderr } = await reset(stack, ["--recount", "--yes", "--force", "70"]);
    assert.equal(code, 0, stderr);
    await countAll(stack);
    assert.equal(await recordsRead(stack.database), 50);
    assert.equal((await auditReport(stack)).verdict, "agrees");
  },
);

serverTest(
  "reset is refused while workers run; it names one that was frozen, which can never commit",
  ["kafka", "postgres"],
  async () => {
    await using stack = await openStack();
    const { topic, database, env } = stack;
    const expected = new Expectation();
    await kcatProduce(topic, makeLines(5_000, expected));
    // Counts that wait for their commit when it is frozen.
    const slow = { ...env, COMMIT_INTERVAL_MS: "3000" };
    await using frozen = await Program.start(["start"], { env: slow });
    await eventually(async () => await recordsRead(database).catch(() => 0) === 5_000);
    const running = await reset(stack, ["--recount", "--yes"]);
    assert.equal(running.code, 1);
    assert.match(running.stderr, /Cannot reset while a worker is running: lottery-worker-\w+ on /);

    await kcatProduce(topic, makeLines(5_000, expected));
    await eventually(async () => {
      const [, url] = await frozen.printed(/Page on (http:[^ ]+\/),/);
      const metrics = await (await fetch(`${url}metrics`)).text();
      return metrics.match(/^lottery_consumer_lag{[^}]*} 0$/gm)?.length === 4;
    });
    frozen.signal("SIGSTOP");
    // Both its session in the group and its entry in the database have to be old.
    const { stdout } = await eventually(async () => {
      const answer = await reset(stack, ["--recount", "--yes"]);
      if (answer.code === 0) return answer;
      assert.match(answer.stderr, /Cannot reset while a worker is running: lottery-worker-\w+ on /);
      return false;
    }, { timeoutMs: 60_000 });
    assert.match(
      stdout,
      /^Worker lottery-worker-\w+ on \S+ has not been heard from since .*it cannot commit after the reset/m,
    );

    frozen.signal("SIGCONT");
    assert.equal(await frozen.exitCode(), 1, frozen.stderr);
    assert.match(frozen.stderr, /the pipeline was reset while this worker was running/);
    assert.equal(await recordsRead(database), 0);
    const rows = await database.connection.query({ text: "select from lottery_aggregates" });
    assert.deepEqual(rows, []);
    await countAll(stack);
    await expected.assertStored(database.connection);
    await assertBooksBalance(database.connection);
  },
);

serverTest(
  "reset --log goes on in another topic, keeps the counts, and audit knows what it can prove",
  ["kafka", "postgres"],
  async () => {
    await using stack = await openStack({ partitions: 2 });
    const { topic, database: { connection } } = stack;
    const hourMs = Math.floor(Date.now() / 3_600_000) * 3_600_000;
    await kcatProduce(topic, [
      ...eventsOf("old", { fromMs: hourMs - 7_200_000, minutes: 5, perMinute: 10 }),
      "{bad",
    ], { partition: 0 });
    await countAll(stack);

    await using another = await createTopic({ partitions: 3 });
    const fresh = [
      ...eventsOf("new", { fromMs: hourMs - 3_600_000, minutes: 5, perMinute: 10 }),
      "{bad",
    ];
    for (const partition of [0, 1, 2]) await kcatProduce(another, fresh, { partition });
    const env = { ...stack.env, KAFKA_TOPIC: another.name };
    const refused = await runProgram(["start", "--once"], { env });
    assert.match(refused.stderr, /KAFKA_TOPIC is .*, but was /);
    assert.match((await reset({ env }, ["--settings", "--yes"])).stderr, /use reset --log/);
    assert.match(
      (await reset({ env }, ["--log", "--to", "0:10,1:0", "--yes"])).stderr,
      /they leave out partition 2/,
    );
    const { code, stdout, stderr } = await reset(
      { env },
      ["--log", "--to", `{"${another.name}":{"0":10,"1":0,"2":51}}`, "--yes"],
    );
    assert.equal(code, 0, stderr);
    assert.match(stdout, /KAFKA_TOPIC: .* becomes /);
    await countAll({ env });
    await assertBooksBalance(connection);

    const [sums] = await connection.query({
      text: `
        select
          sum(event_count) filter (where lottery_name = 'old')::bigint as old,
          sum(event_count) filter (where lottery_name = 'new')::bigint as new
        from lottery_aggregates`,
    });
    assert.deepEqual({ ...sums }, { old: 50, new: 40 + 50 + 0 });
    const report = await auditReport({ env });
    assert.equal(report.code, 3, JSON.stringify(report));
    assert.deepEqual(report.rows, { agreeing: 5, wrong: 0, not_provable: 5 });
    assert.deepEqual(report.dead_letters, { agreeing: 2, wrong: 0, not_provable: 1 });
    // What is left of the log before can still be looked at, and counted.
    const left = ["--log", `${topic.name} (epoch 1)`];
    assert.match((await runProgram(["dead-letters", "list", ...left], { env })).stdout, /^0\/50 /m);
    const set = ["lottery_name=new", "event_type=pay", "timestamp=record"];
    const replay = ["dead-letters", "replay", "0/50", ...set.flatMap((each) => ["--set", each])];
    assert.equal((await runProgram([...replay, ...left], { env })).code, 0);
    const replayed = await auditReport({ env });
    assert.deepEqual(replayed.rows, { agreeing: 6, wrong: 0, not_provable: 5 });

    await connection.query({
      text: "update lottery_aggregates set event_count = 99 where lottery_name = 'new'",
    });
    assert.equal((await auditReport({ env })).rows.wrong, 6);
  },
);

serverTest(
  "reset --log --to a time, start and end sets every partition",
  ["kafka", "postgres"],
  async () => {
    await using stack = await openStack({ partitions: 2 });
    await kcatProduce(stack.topic, makeLines(1_000, new Expectation()));
    assert.equal((await runProgram(["migrate"], { env: stack.env })).code, 0);
    const offsets = async (to: string) => {
      const { code, stderr } = await reset(stack, ["--log", "--to", to, "--yes"]);
      assert.equal(code, 0, stderr);
      const rows = await stack.database.connection.query<{ next_offset: number }>({
        text:
          "select next_offset from kafka_offsets where topic = $1 and first_offset = next_offset",
        values: [stack.topic.name],
      });
      assert.equal(rows.length, 2);
      return rows.reduce((sum, { next_offset }) => sum + next_offset, 0);
    };
    assert.equal(await offsets("end"), 1_000);
    assert.equal(await offsets("start"), 0);
    for (const long of ["1970-01-01T00:00:00Z", "1969-12-31T23:59:59.999Z", "1900-01-01T00:00Z"]) {
      assert.equal(await offsets(long), 0, long);
    }
    assert.equal(await offsets(new Date(Date.now() + 60_000).toISOString()), 1_000);
    assert.equal(await offsets(new Date(Date.now() - 3_600_000).toISOString()), 0);
    await countAll(stack);
    assert.equal((await auditReport(stack)).verdict, "agrees");
  },
);

serverTest(
  "reset --settings takes over a group and a rule for what comes, but no window size",
  ["kafka", "postgres"],
  async () => {
    await using stack = await openStack({ partitions: 2 });
    const { env } = stack;
    const ahead = () =>
      eventsOf("ahead", { fromMs: Date.now() + 30_000, minutes: 1, perMinute: 100 });
    await kcatProduce(stack.topic, ahead());
    await countAll(stack);
    assert.match((await reset(stack, ["--settings"])).stderr, /Nothing to change/);
    assert.match(
      (await reset(stack, ["--settings"], { WINDOW_SECONDS: "10" })).stderr,
      /WINDOW_SECONDS is 10, but was 60. Set it back, or use reset --recount/,
    );

    const regrouped = { env: { ...env, KAFKA_GROUP_ID: `${env.KAFKA_GROUP_ID}-2` } };
    const { stdout } = await reset(regrouped, ["--settings", "--yes"]);
    assert.match(stdout, /KAFKA_GROUP_ID: .* becomes .*-2\nNothing is counted differently/);
    await countAll(regrouped);
    assert.equal((await auditReport(regrouped)).verdict, "agrees");

    const strict = { env: { ...regrouped.env, MAX_FUTURE_SECONDS: "0" } };
    assert.equal((await reset(strict, ["--settings", "--yes"])).code, 0);
    await kcatProduce(stack.topic, ahead());
    await countAll(strict);
    await assertBooksBalance(stack.database.connection);
    const report = await auditReport(strict);
    assert.equal(report.code, 3, JSON.stringify(report));
    assert.deepEqual(report.dead_letters, { agreeing: 100, wrong: 0, not_provable: 0 });
    assert.equal(report.rows.agreeing, 0);
    assert.equal(report.ledger.counted, 100);
  },
);

serverTest(
  "reset --recount and --settings name database and cluster before they say what they would do",
  ["kafka", "postgres"],
  async () => {
    await using stack = await openStack();
    await kcatProduce(stack.topic, makeLines(100, new Expectation()));
    await countAll(stack);
    const places = await placesOf(stack);
    const strict = { MAX_FUTURE_SECONDS: "0" };
    for (
      const [kind, would] of [["--recount", "Deletes all counts"], ["--settings", "Keeps all"]]
    ) {
      const { code, stdout } = await reset(stack, [kind!], strict);
      assert.equal(code, 1);
      assert.ok(stdout.startsWith(`${places}${would}`), stdout);
    }
    const { code, stdout, stderr } = await reset(stack, ["--recount", "--yes"], strict);
    assert.equal(code, 0, stderr);
    assert.ok(stdout.startsWith(`${places}Deletes all counts`), stdout);
  },
);

serverTest(
  "reset --settings is not prevented by a reader whose session is called as a worker's",
  ["kafka", "postgres"],
  async () => {
    await using stack = await openStack();
    const { database } = stack;
    await kcatProduce(stack.topic, makeLines(100, new Expectation()));
    await countAll(stack);
    await using role = await createRole(database);
    await database.connection.query({
      text: `grant select on all tables in schema public to ${role.name}`,
    });
    const name = `${WORKER_PREFIX}ffffffff`;
    await using reader = new Connection(role.url, name);
    await reader.query({ text: "select from lottery_aggregates" });
    const sessions = await database.connection.query({
      text: "select usename, application_name from pg_stat_activity where application_name = $1",
      values: [name],
    });
    assert.deepEqual(sessions, [{ usename: role.name, application_name: name }]);

    const changed = { MAX_FUTURE_SECONDS: "0" };
    const { code, stderr } = await reset(stack, ["--settings", "--yes"], changed);
    assert.equal(code, 0, stderr);
    assert.match((await reset(stack, ["--settings"], changed)).stderr, /Nothing to change/);
  },
);

Deno.test("reset explains arguments that do not go together, and exits 2", async () => {
  for (
    const [args, message] of [
      [[], /exactly one of --recount, --log and --settings is required/],
      [["--recount", "--settings"], /exactly one of --recount, --log and --settings is required/],
      [["--log"], /--log requires --to/],
      [["--recount", "--to", "end"], /--log requires --to, and only --log takes it/],
      [["--settings", "--force", "5"], /--force requires --recount/],
      [["--log", "--to", "yesterday"], /It must be start, end, a time like/],
    ] as const
  ) {
    const { code, stderr } = await runProgram(["reset", ...args]);
    assert.equal(code, 2, stderr);
    assert.match(stderr, message);
  }
});

serverTest(
  "reset --settings takes over newer rules for events, but not beside a worker of the version before",
  ["kafka", "postgres", "java"],
  async () => {
    await using stack = await openStack();
    const { topic, database: { connection }, env } = stack;
    const expected = new Expectation();
    await kcatProduce(topic, makeLines(100, expected));
    await countAll(stack);
    await connection.query({ text: "update pipeline set event_rules = event_rules - 1" });
    const refused = await runProgram(["start", "--once"], { env });
    assert.equal(refused.code, 1);
    assert.match(
      refused.stderr,
      /version of the rules for events is 2, but was 1\. Use the version of the program that made them, or stop all workers/,
    );

    // As a worker of that version is known: by a row that it does not renew, and by a name that all had.
    await connection.query({
      text: "insert into workers (id, host) values ('before', 'old-host')",
    });
    const { brokers, name, config } = topic;
    const java = await JavaConsumer.start({
      ...{ brokers, topic: name, groupId: config.groupId },
      ...{ protocol: "classic", clientId: "lottery-events-pipeline" },
    });
    {
      await using _java = java;
      await using group = new ConsumerGroup(await createKafka(config), config);
      await eventually(async () => (await group.describe()).members!.length === 1);
      const beside = await reset(stack, ["--settings", "--yes"]);
      assert.equal(beside.code, 1);
      assert.match(beside.stderr, /Cannot reset while a worker is running: before on old-host/);
      await java.stop();
    }
    assert.equal((await reset(stack, ["--settings", "--yes"])).code, 0);
    await kcatProduce(topic, makeLines(100, expected));
    await countAll(stack);
    await expected.assertStored(connection);
  },
);

import assert from "node:assert/strict";
import { makeLines } from "../../support/event_lines.ts";
import { eventually } from "../../support/eventually.ts";
import { assertBooksBalance, Expectation } from "../../support/expectation.ts";
import { createTopic, openAdmin } from "../../support/kafka.ts";
import { kcatProduce } from "../../support/kcat.ts";
import { MailServer } from "../../support/mail_server.ts";
import { serverTest } from "../../support/servers.ts";
import { openStack, recordsRead, type TestStack } from "../../support/stack.ts";
import { Program, runProgram } from "../../support/worker_process.ts";

async function groupMembers({ topic }: TestStack): Promise<number> {
  await using admin = await openAdmin(topic.brokers);
  const { groups } = await admin.describeGroups([topic.config.groupId]);
  return groups[0]!.members.length;
}

serverTest(
  "start counts exactly although it is killed in the middle",
  ["kafka", "postgres"],
  async () => {
    await using stack = await openStack();
    const { topic, database, env } = stack;
    const expected = new Expectation();
    const total = 800_000;
    await kcatProduce(topic, makeLines(total, expected));

    for (const share of [0.2]) {
      await using worker = await Program.start(["start"], { env });
      await eventually(async () => await recordsRead(database) > share * total);
      worker.signal("SIGKILL");
      await worker.exitCode();
      assert.ok(await recordsRead(database) < total, "killed before the end");
    }
    const { code, stderr } = await runProgram(["start", "--once"], { env });
    assert.equal(code, 0, stderr);
    await expected.assertStored(database.connection);
    await assertBooksBalance(database.connection);
  },
);

serverTest(
  "start shares eight partitions between two workers, exactly",
  ["kafka", "postgres"],
  async () => {
    await using stack = await openStack({ partitions: 8 });
    const { topic, database, env } = stack;
    const expected = new Expectation();
    await kcatProduce(topic, makeLines(100_000, expected));

    await using first = await Program.start(["start"], { env });
    await first.printed(/Reading 8 partitions/);
    await using second = await Program.start(["start"], { env });
    await kcatProduce(topic, makeLines(100_000, expected));
    await second.printed(/Reading 4 partitions/);
    await first.printed(/Reading 4 partitions/);
    await kcatProduce(topic, makeLines(100_000, expected));
    await eventually(async () => await recordsRead(database) === 300_000);

    // One leaves: the other takes over.
    second.signal("SIGTERM");
    assert.equal(await second.exitCode(), 0, second.stderr);
    await first.printed(/Reading 8 partitions[^]*Reading 8 partitions/);
    await kcatProduce(topic, makeLines(50_000, expected));
    await eventually(async () => await recordsRead(database) === 350_000);
    first.signal("SIGTERM");
    assert.equal(await first.exitCode(), 0, first.stderr);
    await expected.assertStored(database.connection);
    await assertBooksBalance(database.connection);
  },
);

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  serverTest(
    `start commits what it has and leaves its group on ${signal}`,
    ["kafka", "postgres"],
    async () => {
      await using stack = await openStack();
      const { topic, database } = stack;
      const env = { ...stack.env, COMMIT_INTERVAL_MS: "60000" };
      const expected = new Expectation();
      await kcatProduce(topic, makeLines(1_000, expected));
      await using worker = await Program.start(["start"], { env });
      const [, url] = await worker.printed(/Page on (http:[^ ]+\/),/);
      await worker.printed(/Reading 4 partitions/);
      assert.equal(await groupMembers(stack), 1);
      // Read, but not committed for a minute: only the offsets that are pending show it.
      await eventually(async () => {
        const metrics = await (await fetch(`${url}metrics`)).text();
        return metrics.match(/^lottery_consumer_lag{[^}]*} 0$/gm)?.length === 4;
      });
      assert.equal(await recordsRead(database), 0);

      worker.signal(signal);
      worker.signal(signal); // as from the terminal and from the task runner: one request
      assert.equal(await worker.exitCode(), 0, worker.stderr);
      assert.equal(await groupMembers(stack), 0, "it has left");
      await expected.assertStored(database.connection);
    },
  );
}

serverTest("start waits for its topic, and says so once", ["kafka", "postgres"], async () => {
  await using stack = await openStack();
  const { topic, database } = stack;
  const name = `late-${crypto.randomUUID()}`;
  await using worker = await Program.start(["start"], { env: { ...stack.env, KAFKA_TOPIC: name } });
  await worker.printed(/The topic late-[^ ]+ does not exist. Create it, or set KAFKA_TOPIC/);
  const [, url] = await worker.printed(/Page on (http:[^ ]+\/),/);
  assert.equal((await fetch(`${url}readyz`)).status, 503);
  assert.equal((await fetch(`${url}healthz`)).status, 200);

  await using admin = await openAdmin(topic.brokers);
  await admin.createTopics({ topics: [{ topic: name, numPartitions: 1 }] });
  const expected = new Expectation();
  await kcatProduce({ ...topic, name }, makeLines(500, expected));
  await eventually(async () => await recordsRead(database).catch(() => 0) === 500);
  assert.equal((await fetch(`${url}readyz`)).status, 200);
  await expected.assertStored(database.connection);
  const lines = worker.stderr.split("\n");
  assert.equal(lines.filter((line) => line.includes("Waiting for Kafka")).length, 1);
});

serverTest(
  "start notices that Kafka deleted records before it read them",
  ["kafka", "postgres", "openssl"],
  async () => {
    await using mails = await MailServer.start();
    await using stack = await openStack({ partitions: 1 });
    const { topic, database } = stack;
    await kcatProduce(topic, makeLines(1_000, new Expectation()));
    const env = { ...stack.env, ...mails.env };
    await using worker = await Program.start(["start"], { env });
    await eventually(async () => await recordsRead(database).catch(() => 0) === 1_000);

    await using admin = await openAdmin(topic.brokers);
    await admin.fetchTopicOffsets(topic.name); // it needs to know the topic before it deletes in it
    worker.signal("SIGSTOP"); // shorter than its session: it stays the owner
    // The first answers the fetch that is under way; the others would need another one.
    await kcatProduce(topic, makeLines(1_000, new Expectation()));
    await kcatProduce(topic, makeLines(1_000, new Expectation()));
    await admin.deleteTopicRecords({
      topic: topic.name,
      partitions: [{ partition: 0, offset: "2500" }],
    });
    worker.signal("SIGCONT");

    assert.equal(await worker.exitCode(), 1, worker.stderr);
    assert.match(
      worker.stderr,
      /partition 0 at offset \d+: the log starts at 2500, so Kafka has deleted [\d,]+ offsets/,
    );
    const read = await recordsRead(database);
    assert.ok(read <= 2_000, "nothing is counted beyond the gap");
    const { text } = await mails.received(/A worker has stopped and requires operator action/);
    assert.match(text, /so Kafka has deleted [\d,]+ offsets/);
    assert.match(text, new RegExp(`^  0: next offset ${read}, lag (\\d+|unknown)`, "m"));
    assert.match(text, /^Last commit\r?\n {2}\d{4}-.* ago\)/m);
  },
);

serverTest(
  "start holds three sessions, and one more each while it publishes and while somebody looks",
  ["kafka", "postgres"],
  async () => {
    await using stack = await openStack();
    await using output = await createTopic({ partitions: 1 });
    const { database: { connection }, env } = stack;
    const sessions = async () => {
      const [row] = await connection.query<{ sessions: number }>({
        text: `
          select count(*) as sessions
          from pg_stat_activity
          where datname = current_database() and backend_type = 'client backend'
            and pid <> pg_backend_pid()`,
      });
      return row!.sessions;
    };
    await kcatProduce(stack.topic, makeLines(1_000, new Expectation()));
    {
      await using _worker = await Program.start(["start"], { env });
      await eventually(async () => await recordsRead(stack.database).catch(() => 0) === 1_000);
      assert.equal(await sessions(), 3);
    }
    await using worker = await Program.start(["start"], {
      env: { ...env, KAFKA_OUTPUT_TOPIC: output.name },
    });
    const [, url] = await worker.printed(/Page on (http:[^ ]+\/),/);
    await worker.printed(/Reading 4 partitions/);
    await eventually(async () => await sessions() === 4);
    await (await fetch(`${url}api/dead-letters`)).text();
    assert.equal(await sessions(), 5);
  },
);

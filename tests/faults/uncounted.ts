/** Partitions that no worker counts, because somebody else in the group has them. */

import assert from "node:assert/strict";
import { createKafka } from "../../lib/io/kafka/client.ts";
import { ConsumerGroup } from "../../lib/io/kafka/group/consumer_group.ts";
import { Kafka, logLevel } from "../../lib/io/kafka/kafkajs/kafkajs.ts";
import { makeLines } from "../support/event_lines.ts";
import { eventually } from "../support/eventually.ts";
import { Expectation } from "../support/expectation.ts";
import { JavaConsumer } from "../support/java_consumer.ts";
import { kcatProduce } from "../support/kcat.ts";
import { MailServer } from "../support/mail_server.ts";
import { createDatabase } from "../support/postgres.ts";
import { serverTest } from "../support/servers.ts";
import { openStack, recordsRead } from "../support/stack.ts";
import { Program, runProgram } from "../support/worker_process.ts";

/** Within so long it has to be told. */
const TOLD_MS = 60_000;

type Env = Readonly<Record<string, string>>;

async function pageOf(program: Program): Promise<string> {
  return (await program.printed(/Page on (http:[^ ]+\/),/))[1]!;
}

async function text(url: string): Promise<string> {
  return await (await fetch(url)).text();
}

/** Problems by `status`, which is not content. */
async function problems(env: Env): Promise<string> {
  const { code, stdout, stderr } = await runProgram(["status", "--json"], { env });
  const { problems } = JSON.parse(stdout);
  assert.equal(code, problems.length === 0 ? 0 : 1, stderr);
  return problems.join("\n");
}

interface Membership {
  readonly brokers: string;
  readonly topic: string;
  readonly groupId: string;
}

/** Another program in the group, until it is disposed. */
interface Foreigner extends AsyncDisposable {
  /** Ends it as its users do: it leaves the group. */
  stop(): Promise<void>;
}

/** A program with kafkajs, whose assigner is that of our workers: it shares with them, by the classic protocol. */
async function startKafkajs({ brokers, topic, groupId }: Membership): Promise<Foreigner> {
  const kafka = new Kafka({
    clientId: "billing",
    brokers: brokers.split(","),
    logLevel: logLevel.NOTHING,
  });
  const consumer = kafka.consumer({ groupId });
  await consumer.connect();
  await consumer.subscribe({ topics: [topic] });
  await consumer.run({ eachBatch: () => Promise.resolve() });
  const stop = () => consumer.disconnect();
  return { stop, [Symbol.asyncDispose]: stop };
}

/** Other programs, as they call themselves, that take partitions from a worker that is there before. */
const FOREIGNERS: Readonly<Record<string, (membership: Membership) => Promise<Foreigner>>> = {
  "console-consumer": (membership) => JavaConsumer.start({ ...membership, protocol: "consumer" }),
  billing: startKafkajs,
};

for (const [clientId, start] of Object.entries(FOREIGNERS)) {
  serverTest(
    `what another program in the group, ${clientId}, takes is told within a minute, and counted when it is gone`,
    ["kafka", ...clientId === "billing" ? [] : ["java" as const], "postgres", "openssl"],
    async () => {
      await using mails = await MailServer.start();
      await using stack = await openStack();
      const { topic: { brokers, name: topic, config: { groupId } }, database } = stack;
      const env = { ...stack.env, ...mails.env };
      const expected = new Expectation();
      await using worker = await Program.start(["start"], { env });
      const page = await pageOf(worker);
      await worker.printed(/Reading 4 partitions/);
      await kcatProduce(stack.topic, makeLines(2_000, expected));
      await eventually(async () => await recordsRead(database) === 2_000);

      await using foreigner = await start({ brokers, topic, groupId });
      await worker.printed(/Reading 2 partitions/);
      await kcatProduce(stack.topic, makeLines(4_000, expected));
      const told = new RegExp(
        String.raw`partitions \d and \d are not counted \([\d,]+ records waiting\): ` +
          String.raw`another program in the group \S+ has them, ${clientId} on 127\.0\.0\.1\.`,
      );
      await eventually(async () => {
        const response = await fetch(`${page}readyz`);
        assert.equal(response.status, 503);
        assert.match(await response.text(), told);
      }, { timeoutMs: TOLD_MS });
      const metrics = await text(`${page}metrics`);
      assert.match(metrics, /^lottery_uncounted_partitions 2$/m);
      const lags = Array.from(
        metrics.matchAll(/^lottery_consumer_lag{.*partition="(\d)"} (\d+)$/gm),
        ([, partition, records]) => [Number(partition), Number(records)] as const,
      );
      assert.deepEqual(lags.map(([partition]) => partition).sort(), [0, 1, 2, 3]);
      const uncounted = lags.filter(([, records]) => records > 500).map(([partition]) => partition);
      const { all_workers } = JSON.parse(await text(`${page}api/status`));
      assert.deepEqual(
        all_workers.uncounted_partitions.map(
          (
            each: { partition: number; reason: string; client_id: string },
          ) => [each.partition, each.reason, each.client_id],
        ),
        uncounted.sort().map((partition) => [partition, "another_program", clientId]),
      );
      assert.match(await problems(env), told);
      const audit = await runProgram(["audit"], { env });
      assert.equal(audit.code, 5, audit.stdout + audit.stderr);
      assert.match(
        audit.stdout,
        /^Not everything is counted:\n- partitions \d and \d are not counted/m,
      );
      assert.match(audit.stdout, /^INCOMPLETE: what was counted agrees/m);
      const mail = await mails.received(/Some partitions are not being counted/);
      assert.match(mail.text.replaceAll(/\s+/g, " "), told);

      await foreigner.stop();
      await eventually(async () => await recordsRead(database) === 6_000);
      await expected.assertStored(database.connection);
      await eventually(async () => assert.equal((await fetch(`${page}readyz`)).status, 200));
      await mails.received(/Recovered: all partitions are being counted again/);
      await eventually(async () => assert.equal(await problems(env), ""));
    },
  );
}

serverTest(
  "workers of two databases in one group tell of each other, each with the half that it does not count",
  ["kafka", "postgres"],
  async () => {
    await using stack = await openStack();
    await using another = await createDatabase();
    const envs = [stack.env, { ...stack.env, DATABASE_URL: another.url }];
    const lines = makeLines(4_000, new Expectation());
    await kcatProduce(stack.topic, lines);
    await using first = await Program.start(["start"], { env: envs[0]! });
    await eventually(async () => await recordsRead(stack.database).catch(() => 0) === 4_000);
    await using second = await Program.start(["start"], { env: envs[1]! });
    await second.printed(/Reading 2 partitions/);
    await kcatProduce(stack.topic, lines);
    for (const [at, program] of [first, second].entries()) {
      const told =
        /partitions \d and \d are not counted \([\d,]+ records waiting\): lottery-worker-\w{8} on 127\.0\.0\.1 has them, a worker that is not registered in this database/;
      const page = await pageOf(program);
      await eventually(async () => assert.match(await text(`${page}readyz`), told), {
        timeoutMs: TOLD_MS,
      });
      assert.match(await text(`${page}metrics`), /^lottery_uncounted_partitions 2$/m);
      assert.match(await problems(envs[at]!), told);
      const { code, stdout } = await runProgram(["audit", "--json"], { env: envs[at]! });
      const { verdict, problems: found, rows } = JSON.parse(stdout);
      assert.deepEqual([code, verdict, rows.wrong], [5, "incomplete", 0]);
      assert.match(found.join(), told);
    }
    first.signal("SIGTERM");
    assert.equal(await first.exitCode(), 0);
    await eventually(async () => await recordsRead(another) === 8_000);
    await eventually(async () => assert.equal(await problems(envs[1]!), ""));
    assert.equal((await runProgram(["audit"], { env: envs[1]! })).code, 0);
    // The way out: a group of its own, though the other one's worker runs on.
    const apart = { ...envs[0]!, KAFKA_GROUP_ID: `${stack.env.KAFKA_GROUP_ID}-apart` };
    const reset = await runProgram(["reset", "--settings", "--yes"], { env: apart });
    assert.equal(reset.code, 0, reset.stderr);
    assert.match(
      reset.stdout,
      /^lottery-worker-\w+ on \S+ is in the consumer group, but is not a worker of this database\.$/m,
    );
    // What is left behind is said, but no fault: the next worker counts it.
    const { code, stdout } = await runProgram(["audit"], { env: apart });
    assert.equal(code, 0);
    assert.match(
      stdout,
      /^[\d,]+ records are not counted yet: no worker is running\.\nEverything agrees\.$/m,
    );
    assert.equal((await runProgram(["start", "--once"], { env: apart })).code, 0);
    assert.equal(await recordsRead(stack.database), 8_000);
  },
);

serverTest(
  "a worker whose group another kind of consumer shares out stops and says what to set; status tells who has the partitions",
  ["kafka", "java", "postgres", "openssl"],
  async () => {
    await using mails = await MailServer.start();
    await using stack = await openStack();
    const { topic: { brokers, name: topic, config: { groupId } } } = stack;
    const env = { ...stack.env, ...mails.env };
    await using _java = await JavaConsumer.start({ brokers, topic, groupId, protocol: "classic" });
    await kcatProduce(stack.topic, makeLines(2_000, new Expectation()));
    await using group = new ConsumerGroup(
      await createKafka(stack.topic.config),
      stack.topic.config,
    );
    await eventually(async () =>
      (await group.describe()).members!.some(({ partitions }) => partitions.length === 4)
    );
    const { code, stderr } = await runProgram(["start"], { env });
    assert.equal(code, 1, stderr);
    const why =
      /the consumer group is in use by another kind of consumer\. Set KAFKA_GROUP_ID to an unused name/;
    assert.match(stderr, why);
    assert.match((await mails.received(/stopped/)).text.replaceAll(/\s+/g, " "), why);
    assert.match(
      await problems(env),
      /partitions 0, 1, 2 and 3 are not counted.*: another program in the group \S+ has them, console-consumer on/,
    );
  },
);

import assert from "node:assert/strict";
import { eventually } from "../support/eventually.ts";
import { type FaultStand, faultTest } from "../support/fault_stand.ts";
import { Broker, openAdmin, type TestTopic } from "../support/kafka.ts";
import { kcatProduce } from "../support/kcat.ts";
import { MailServer } from "../support/mail_server.ts";
import type { Program } from "../support/worker_process.ts";

faultTest(
  "a broker that is killed and comes back: exact, one line, one mail, one more when it is over",
  { ownsBroker: true },
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
    await stand.produce(20_000);
    await stand.progress();
    stand.broker!.kill();
    await mails.received(/Kafka is away/, 60_000);
    assert.equal((await fetch(`${url}readyz`)).status, 503);
    await stand.broker!.restart();
    await stand.produce(20_000);
    await mails.received(/Recovered: Kafka is there again/, 60_000);
    await stand.assertExact();
    assert.equal(mails.mails.length, 2, mails.mails.map(({ subject }) => subject).join(" / "));
    for (const worker of [first, second]) {
      const lines = worker.stderr.split("\n");
      assert.equal(lines.filter((line) => line.includes("Waiting for Kafka")).length, 1);
    }
  },
);

faultTest(
  "a broker that is killed in the middle of reading, three times",
  { ownsBroker: true },
  async (stand) => {
    await using _worker = await stand.startWorker();
    for (let round = 0; round < 3; round++) {
      await stand.produce(150_000);
      await stand.progress();
      stand.broker!.kill();
      await stand.broker!.restart();
    }
    await stand.assertExact();
  },
);

faultTest(
  "partitions that are added while it runs are counted from their start",
  {},
  async (stand) => {
    await using _worker = await stand.startWorker();
    await stand.produce(5_000);
    await stand.progress();
    await using admin = await openAdmin(stand.topic.brokers);
    await admin.createPartitions({ topicPartitions: [{ topic: stand.topic.name, count: 7 }] });
    await stand.produce(20_000);
    await stand.assertExact(); // found with the next look at the cluster, within a minute
  },
);

/** Deletes the topic and makes it again. */
async function recreate({ name, brokers }: TestTopic): Promise<void> {
  await using admin = await openAdmin(brokers);
  await admin.deleteTopics({ topics: [name] });
  await eventually(() =>
    admin.createTopics({ topics: [{ topic: name, numPartitions: 1 }], waitForLeaders: true })
  );
}

async function assertRefuses(worker: Program, stand: FaultStand): Promise<void> {
  const before = await stand.recordsRead();
  assert.equal(await worker.exitCode(), 1, worker.stderr);
  assert.match(worker.stderr, /It is not the log that was counted/);
  assert.equal(await stand.recordsRead(), before, "nothing of it is counted");
}

for (
  const [what, records] of [["fewer records", 50], ["as many records", 500], [
    "more records",
    5_000,
  ]] as const
) {
  faultTest(
    `a topic that was deleted and made again, with ${what} than before, is not counted: between runs`,
    { partitions: 1 },
    async (stand) => {
      await stand.produce(500);
      {
        await using worker = await stand.startWorker();
        await stand.caughtUp();
        worker.signal("SIGTERM");
        await worker.exitCode();
      }
      await recreate(stand.topic);
      await stand.produce(records);
      await using worker = await stand.startWorker();
      await assertRefuses(worker, stand);
    },
  );
}

for (const [what, records] of [["fewer records", 50], ["more records", 5_000]] as const) {
  faultTest(
    `a topic that is deleted and made again, with ${what} than before, is not counted: under a running worker`,
    { partitions: 1 },
    async (stand) => {
      await using worker = await stand.startWorker();
      await stand.produce(500);
      await stand.caughtUp();
      worker.signal("SIGSTOP"); // or it might see the topic while it is small
      await recreate(stand.topic);
      await stand.produce(records);
      worker.signal("SIGCONT");
      await assertRefuses(worker, stand);
    },
  );
}

faultTest(
  "a topic that is deleted is waited for, by its name, but not counted when it is made again",
  { partitions: 1 },
  async (stand) => {
    await using worker = await stand.startWorker();
    await stand.produce(500);
    await stand.caughtUp();
    await using admin = await openAdmin(stand.topic.brokers);
    await admin.deleteTopics({ topics: [stand.topic.name] });
    await worker.printed(/Waiting for Kafka.*does not have the topic test-[^ ]+, or not all/);
    await eventually(() => admin.createTopics({ topics: [{ topic: stand.topic.name }] }));
    await stand.produce(50);
    await assertRefuses(worker, stand);
  },
);

faultTest("another cluster behind the same address is not counted", {
  ownsBroker: true,
  partitions: 1,
}, async (stand) => {
  const directory = await Deno.makeTempDir({ prefix: "lottery-events-fault-" });
  try {
    await using worker = await stand.startWorker();
    await stand.produce(500);
    await stand.caughtUp();
    stand.broker!.kill();
    const port = Number(stand.broker!.address.split(":")[1]);
    const other = await Broker.start(directory, { port });
    try {
      await using admin = await openAdmin(other.address);
      await admin.createTopics({ topics: [{ topic: stand.topic.name, numPartitions: 1 }] });
      await stand.produce(5_000);
      const before = await stand.recordsRead();
      assert.equal(await worker.exitCode(), 1, worker.stderr);
      assert.match(worker.stderr, /another Kafka cluster \([^)]+\) answers/);
      assert.equal(await stand.recordsRead(), before);
    } finally {
      other.kill();
    }
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

faultTest(
  "records that retention deletes unread: ON_DATA_LOSS=continue counts on, and says what is lost",
  { partitions: 1 },
  async (stand) => {
    await using mails = await MailServer.start();
    const env = { ...stand.env(), ...mails.env, ON_DATA_LOSS: "continue" };
    const { topic, database } = stand;
    await kcatProduce(topic, Array.from({ length: 1_000 }, () => "before"));
    await using worker = await stand.startWorker(env);
    await stand.caughtUp();
    const [, url] = await worker.printed(/Page on (http:[^ ]+\/),/);
    worker.signal("SIGSTOP");
    // The first answers the fetch that is under way; the others would need another one.
    for (let round = 0; round < 3; round++) {
      await kcatProduce(
        topic,
        Array.from({ length: 500 }, () => "gone"),
      );
    }
    await using admin = await openAdmin(topic.brokers);
    await admin.fetchTopicOffsets(topic.name);
    await admin.deleteTopicRecords({
      topic: topic.name,
      partitions: [{ partition: 0, offset: "2500" }],
    });
    worker.signal("SIGCONT");
    await kcatProduce(topic, Array.from({ length: 100 }, () => "after"));
    await stand.caughtUp();

    const { text } = await mails.received(/Kafka deleted records before they were counted/);
    const [, from] = text.match(/partition 0: offsets (\d+) to 2499/)!;
    const metrics = await (await fetch(`${url}metrics`)).text();
    assert.match(metrics, new RegExp(`^lottery_lost_records_total ${2_500 - Number(from)}$`, "m"));
    const [row] = await database.connection.query<{ dead: number; next_offset: number }>({
      text: "select dead, next_offset from kafka_offsets",
    });
    assert.deepEqual(row, { dead: Number(from) + 100, next_offset: 2_600 });
    // A restart goes on: what is lost is settled.
    worker.signal("SIGTERM");
    assert.equal(await worker.exitCode(), 0, worker.stderr);
  },
);

faultTest(
  "ten thousand bad records in a row, and a value of 5 MB, stop nothing",
  {},
  async (stand) => {
    await using worker = await stand.startWorker();
    await kcatProduce(stand.topic, Array.from({ length: 10_000 }, (_, n) => `bad ${n}`));
    await kcatProduce(stand.topic, [`"${"x".repeat(5 << 20)}"`], { codec: "zstd" });
    await stand.produce(1_000);
    await stand.assertExact();
    worker.signal("SIGTERM");
    assert.equal(await worker.exitCode(), 0, worker.stderr);
  },
);

faultTest(
  "SIGTERM during a long batch commits what is counted",
  { partitions: 1 },
  async (stand) => {
    await stand.produce(600_000);
    await using worker = await stand.startWorker();
    await stand.progress();
    worker.signal("SIGTERM");
    assert.equal(await worker.exitCode(), 0, worker.stderr);
    await using _next = await stand.startWorker();
    await stand.assertExact();
  },
);

faultTest("SIGTERM while the broker is frozen ends the worker within 10 s, with 0", {
  ownsBroker: true,
}, async (stand) => {
  await using worker = await stand.startWorker();
  await stand.produce(5_000);
  await stand.progress();
  stand.broker!.freeze();
  const askedAt = performance.now();
  worker.signal("SIGTERM");
  assert.equal(await worker.exitCode(), 0, worker.stderr);
  const seconds = (performance.now() - askedAt) / 1000;
  assert.ok(seconds < 10, `it took ${seconds} s`);
});

faultTest(
  "a broker that hangs for longer than any timeout is waited for",
  { ownsBroker: true },
  async (stand) => {
    await using worker = await stand.startWorker();
    await stand.produce(5_000);
    await stand.progress();
    stand.broker!.freeze();
    await new Promise((resolve) => setTimeout(resolve, 75_000));
    stand.broker!.thaw();
    await stand.produce(5_000);
    await stand.assertExact();
    worker.signal("SIGTERM");
    assert.equal(await worker.exitCode(), 0, worker.stderr);
  },
);

faultTest(
  "a second signal ends the worker at once, and nothing is lost",
  { ownsPostgres: true },
  async (stand) => {
    {
      await using worker = await stand.startWorker();
      await stand.produce(20_000);
      await stand.progress();
      stand.postgres!.stop();
      await stand.produce(20_000);
      await worker.printed(/Waiting for PostgreSQL/);
      worker.signal("SIGINT");
      await worker.printed(/Stopping/);
      await new Promise((resolve) => setTimeout(resolve, 1_100)); // within a second they are one
      const askedAt = performance.now();
      worker.signal("SIGINT");
      assert.equal(await worker.exitCode(), 1);
      assert.ok(performance.now() - askedAt < 1_000);
      assert.match(worker.stderr, /Stopped at once. Nothing is lost/);
    }
    await stand.postgres!.restart();
    await using _next = await stand.startWorker();
    await stand.assertExact();
  },
);

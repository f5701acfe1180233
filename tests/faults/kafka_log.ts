import assert from "node:assert/strict";
import {
  Kafka,
  logLevel,
  type Producer,
  type Transaction,
} from "../../lib/io/kafka/kafkajs/kafkajs.ts";
import { eventually } from "../support/eventually.ts";
import { type FaultStand, faultTest } from "../support/fault_stand.ts";
import { Broker, openAdmin, setCleanupPolicy, type TestTopic } from "../support/kafka.ts";
import { kcatProduce } from "../support/kcat.ts";
import { MailServer } from "../support/mail_server.ts";
import { Program, runProgram } from "../support/worker_process.ts";

/** Deletes the topic and makes it again. */
async function recreate(
  { name, brokers }: TestTopic,
  whenDeleted = () => Promise.resolve(),
): Promise<void> {
  await using admin = await openAdmin(brokers);
  await admin.deleteTopics({ topics: [name] });
  await whenDeleted();
  await eventually(() => admin.createTopics({ topics: [{ topic: name, numPartitions: 1 }] }));
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
      await recreate(stand.topic, async () => {
        await worker.printed(/Waiting for Kafka/);
        worker.signal("SIGSTOP"); // or it might see the topic while it is small
      });
      await stand.produce(records);
      worker.signal("SIGCONT");
      await assertRefuses(worker, stand);
    },
  );
}

faultTest(
  "a topic that is deleted and made again, with more records than before, is not counted: while PostgreSQL is away",
  { partitions: 1, ownsPostgres: true },
  async (stand) => {
    await using worker = await stand.startWorker();
    await stand.produce(500);
    await stand.caughtUp();
    stand.postgres!.stop();
    await worker.printed(/Waiting for PostgreSQL/);
    await stand.produce(500); // read, and held: nothing more is read until these are committed
    await recreate(stand.topic);
    await stand.produce(5_000);
    await stand.postgres!.restart();
    assert.equal(await worker.exitCode(), 1, worker.stderr);
    assert.match(worker.stderr, /It is not the log that was counted/);
    const read = await eventually(() => stand.recordsRead()); // its session ended with the server
    assert.ok(read <= 1_000, "what was read before");
  },
);

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

/** Producers of transactions, in whose events the lottery says how each has ended. */
async function withTransactions(
  { brokers, name }: TestTopic,
  body: (send: (fate: string) => Promise<Transaction>) => Promise<void>,
): Promise<void> {
  const kafka = new Kafka({ brokers: brokers.split(","), logLevel: logLevel.NOTHING });
  const producers: Producer[] = [];
  const send = async (fate: string) => {
    const producer = kafka.producer({
      transactionTimeout: 300_000,
      transactionalId: crypto.randomUUID(),
      idempotent: true,
      maxInFlightRequests: 1,
      allowAutoTopicCreation: false,
    });
    await producer.connect();
    producers.push(producer);
    const transaction = await producer.transaction();
    const event = { lottery_name: fate, event_type: "pay", timestamp: Date.now() };
    const messages = Array.from({ length: 50 }, () => ({ value: JSON.stringify(event) }));
    await transaction.send({ topic: name, messages });
    await transaction.send({ topic: name, messages: [{ value: `bad and ${fate}` }] });
    return transaction;
  };
  try {
    await body(send);
  } finally {
    await Promise.all(producers.map((producer) => producer.disconnect()));
  }
}

faultTest(
  "transactions that are aborted among others, and a worker that is killed among them, count exactly",
  { partitions: 2 },
  async (stand) => {
    const { topic, database } = stand;
    const ROUNDS = 2;
    await withTransactions(topic, async (send) => {
      await stand.whileProducing(async () => {
        let stillOpen: Transaction | undefined;
        for (let round = 0; round < ROUNDS; round++) {
          await using worker = await stand.startWorker();
          const open = await Promise.all(["committed", "aborted"].map(send));
          await stillOpen?.abort(); // up to here nobody could read on
          await Promise.all([open[0]!.commit(), open[1]!.abort()]);
          await stand.progress();
          stillOpen = await send("aborted");
          worker.signal("SIGKILL");
          await worker.exitCode();
        }
        await stillOpen?.abort();
      });
    });
    await using _last = await stand.startWorker();
    await stand.assertExact();
    const rows = await database.connection.query<{ lottery_name: string; events: number }>({
      text: `
        select lottery_name, sum(event_count)::bigint as events
        from lottery_aggregates
        where lottery_name in ('committed', 'aborted')
        group by lottery_name`,
    });
    assert.deepEqual(rows, [{ lottery_name: "committed", events: ROUNDS * 50 }]);
  },
);

faultTest("a topic that becomes compacted is not counted any more", {}, async (stand) => {
  await using worker = await stand.startWorker();
  await stand.produce(500);
  await stand.caughtUp();
  await setCleanupPolicy(stand.topic, "compact");
  await worker.printed(/its cleanup\.policy is compact/);
  assert.equal(await worker.exitCode(), 1, worker.stderr);
});

faultTest(
  "a batch that the broker's disk has damaged stops counting there, and can be left out alone",
  { ownsBroker: true, partitions: 1 },
  async (stand) => {
    for (let round = 0; round < 3; round++) await stand.produce(1_000);
    const [from, to] = await stand.broker!.damage(stand.topic, 1_500);
    for (let round = 0; round < 2; round++) {
      await using worker = await Program.start(["start"], { env: stand.env() });
      assert.equal(await worker.exitCode(), 1);
      assert.match(
        worker.stderr,
        new RegExp(`Cannot read partition 0 at offset ${from}: its checksum .* offset ${to} for`),
      );
      assert.equal(await stand.recordsRead(), from);
    }
    const reset = ["reset", "--log", "--to", `0:${to}`, "--yes"];
    const { code, stderr } = await runProgram(reset, { env: stand.env() });
    assert.equal(code, 0, stderr);
    await using _worker = await stand.startWorker();
    await stand.caughtUp();
    const [row] = await stand.database.connection.query<{ records: number }>({
      text: `
        select (select sum(event_count) from lottery_aggregates)::bigint
          + (select count(*) from dead_letters) as records`,
    });
    assert.equal(row!.records, 3_000 - (to - from));
  },
);

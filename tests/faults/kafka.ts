import assert from "node:assert/strict";
import { eventually } from "../support/eventually.ts";
import { faultTest } from "../support/fault_stand.ts";
import { openAdmin } from "../support/kafka.ts";
import { kcatProduce } from "../support/kcat.ts";
import { MailServer } from "../support/mail_server.ts";

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
    await mails.received(/Kafka is unavailable/);
    await eventually(async () => { // the mail may be the other worker's
      const response = await fetch(`${url}readyz`);
      assert.deepEqual([response.status, await response.text()], [503, "Kafka does not answer\n"]);
    });
    await stand.broker!.restart();
    await stand.produce(20_000);
    await mails.received(/Recovered: Kafka is back/);
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

/** So many bytes that no codec makes fewer. */
function incompressible(length: number): string {
  const parts = Array.from(
    { length: Math.ceil(length / 65_536) },
    () => crypto.getRandomValues(new Uint8Array(49_152)).toBase64(),
  );
  return parts.join("").slice(0, length);
}

faultTest(
  "ten thousand bad records in a row, and values of 5 MB, stop nothing",
  {},
  async (stand) => {
    await using worker = await stand.startWorker();
    await kcatProduce(stand.topic, Array.from({ length: 10_000 }, (_, n) => `bad ${n}`));
    await kcatProduce(stand.topic, [`"${"x".repeat(5 << 20)}"`], { codec: "zstd" });
    // More than what is asked for at once: such come one by one, and only with the first partition.
    for (let partition = 0; partition < 4; partition++) {
      await kcatProduce(stand.topic, [incompressible(5 << 20), "bad"], { partition });
    }
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
    const [, url] = await worker.printed(/Page on (http:[^ ]+\/),/);
    const lag = async () => {
      const { all_workers } = await (await fetch(`${url}api/status`)).json();
      return all_workers.lag_records;
    };
    await eventually(async () => await lag() === 0);
    stand.broker!.freeze();
    await eventually(async () => await lag() === null); // nothing says yet that it is away
    await eventually(async () => {
      const response = await fetch(`${url}readyz`);
      return response.status === 503 && /^Kafka does not answer$/m.test(await response.text());
    });
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

import assert from "node:assert/strict";
import { eventually } from "../support/eventually.ts";
import { type FaultStand, faultTest } from "../support/fault_stand.ts";
import { createTopic, openAdmin } from "../support/kafka.ts";
import { kcatProduce } from "../support/kcat.ts";
import {
  allPublished,
  assertPublished,
  closeWindows,
  eventLines,
  inTheMiddle,
  publishing,
} from "../support/published.ts";

const LINES = eventLines();

/** Settings of a worker that publishes to the topic. */
function publishingEnv(stand: FaultStand, outputTopic: string): Record<string, string> {
  return { ...stand.env(), KAFKA_OUTPUT_TOPIC: outputTopic, GRACE_SECONDS: "0" };
}

faultTest(
  "a publisher that is frozen, and thaws when another one has published newer counts, harms none",
  { partitions: 2 },
  async (stand) => {
    const { topic, database: { connection } } = stand;
    await using output = await createTopic({ partitions: 3 });
    const env = publishingEnv(stand, output.name);
    await using frozen = await stand.startWorker(env);
    await kcatProduce(topic, LINES);
    await closeWindows(topic);
    await inTheMiddle(connection);
    frozen.signal("SIGSTOP");

    await using _other = await stand.startWorker(env);
    await kcatProduce(topic, LINES.slice(0, 3_000));
    // By then the frozen one has lost its partitions, and its right to publish.
    await stand.caughtUp();
    await allPublished(connection, LINES.length);
    frozen.signal("SIGCONT");
    await frozen.printed(/Reading \d+ partitions?:[^]*Reading \d+ partitions?:/);
    await kcatProduce(topic, LINES.slice(2_000, 4_000));
    await stand.assertExact();
    await allPublished(connection, LINES.length);
    await assertPublished(connection, output);
  },
);

faultTest(
  "a broker that is killed while windows are published leaves all of them published",
  { partitions: 2, ownsBroker: true },
  async (stand) => {
    const { topic, database: { connection } } = stand;
    const output = await createTopic({ partitions: 3 }, topic.brokers);
    await using worker = await stand.startWorker(publishingEnv(stand, output.name));
    await kcatProduce(topic, LINES);
    await closeWindows(topic);
    await inTheMiddle(connection);
    stand.broker!.kill();
    await worker.printed(/Cannot publish to/);
    await stand.broker!.restart();
    await worker.printed(/Publishing to .* works after/);
    await eventually(async () => {
      await using admin = await openAdmin(topic.brokers);
      return await admin.fetchTopicOffsets(topic.name);
    });
    await kcatProduce(topic, LINES.slice(0, 1_000));
    await stand.assertExact();
    await allPublished(connection, LINES.length);
    await assertPublished(connection, output);
  },
);

faultTest(
  "of two workers one publishes, and the other goes on when it is killed, and again",
  { partitions: 2 },
  async (stand) => {
    const { topic, database: { connection } } = stand;
    await using output = await createTopic({ partitions: 3 });
    const env = publishingEnv(stand, output.name);
    await using standby = await stand.startWorker(env);
    await using first = await stand.startWorker(env);
    await kcatProduce(topic, LINES);
    await closeWindows(topic);
    await inTheMiddle(connection);
    const published = await Promise.all([first, standby].map(async (worker) => {
      const [, url] = await worker.printed(/Page on (http:[^ ]+\/),/);
      const metrics = await (await fetch(`${url}metrics`)).text();
      return Number(metrics.match(/^lottery_published_total (\d+)$/m)![1]);
    }));
    assert.equal(published.filter((counts) => counts > 0).length, 1, "one at a time");
    (published[0]! > 0 ? first : standby).signal("SIGKILL");

    for (let round = 0; round < 3; round++) {
      await using next = await stand.startWorker(env);
      await kcatProduce(topic, LINES.filter((_, n) => n % 3 === round));
      await stand.caughtUp();
      await eventually(async () => (await publishing(connection)).waiting > 0);
      next.signal("SIGKILL");
    }
    await using _last = await stand.startWorker(env);
    await stand.assertExact();
    await allPublished(connection, LINES.length);
    await assertPublished(connection, output);
  },
);

import assert from "node:assert/strict";
import { Connection } from "../../lib/io/postgres/session/connection.ts";
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
import { runProgram } from "../support/worker_process.ts";

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
    // However much was published before it ended, something waits.
    await connection.query({
      text: `
        insert into outbox
          (window_start, window_end, lottery_name, event_type, event_count, revision)
        select
          window_start, window_end, lottery_name, event_type, event_count,
          nextval('count_revisions')
        from lottery_aggregates
        where window_start = (select min(window_start) from lottery_aggregates)
        on conflict (window_start, lottery_name, event_type) do update
          set revision = excluded.revision`,
    });
    await worker.printed(/Cannot publish to/);
    await stand.broker!.restart();
    await worker.printed(/Publishing to .* again after/);
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
      await Promise.all([
        kcatProduce(topic, LINES.filter((_, n) => n % 3 === round)),
        eventually(async () => (await publishing(connection)).waiting > 0),
      ]);
      next.signal("SIGKILL");
    }
    await using _last = await stand.startWorker(env);
    await stand.assertExact();
    await allPublished(connection, LINES.length);
    await assertPublished(connection, output);
  },
);

faultTest(
  "a failover that loses a replay and its correction leaves no count in the output that has no row",
  { partitions: 2, ownsPostgres: true },
  async (stand) => {
    const { topic, database, postgres } = stand;
    await using output = await createTopic({ partitions: 3 });
    const directory = await Deno.makeTempDir({ prefix: "lottery-events-fault-" });
    const standby = await postgres!.startStandby(directory);
    try {
      const env = publishingEnv(stand, output.name);
      await using worker = await stand.startWorker(env);
      const lines = LINES.filter((_, n) => n % 10 === 0);
      await kcatProduce(topic, lines);
      await kcatProduce(topic, ["bad one", "bad two"], { partition: 0 });
      await closeWindows(topic);
      await stand.caughtUp();
      await allPublished(database.connection, lines.length);
      const standbyUrl = new URL(database.url);
      standbyUrl.port = new URL(standby.url).port;
      await using after = new Connection(standbyUrl.href);
      await eventually(async () => (await publishing(after)).rows === lines.length);

      // One replay makes a new row, the other one adds to a row that was published.
      await standby.isolate();
      const { lottery_name, event_type, timestamp } = JSON.parse(lines[0]!);
      const set = (lottery: string) => [
        ...["--set", `lottery_name=${lottery}`, "--set", `event_type=${event_type}`],
        ...["--set", `timestamp=${timestamp}`],
      ];
      const letters = await database.connection.query<{ at: string }>({
        text: "select partition || '/' || kafka_offset as at from dead_letters order by 1",
      });
      for (const [n, lottery] of ["replayed", lottery_name].entries()) {
        const replay = ["dead-letters", "replay", letters[n]!.at, ...set(lottery)];
        const { code, stderr } = await runProgram(replay, { env });
        assert.equal(code, 0, stderr);
      }
      await allPublished(database.connection, lines.length + 1);
      await assertPublished(database.connection, output);

      worker.signal("SIGKILL");
      postgres!.stop();
      await standby.promote();
      await using next = await stand.startWorker({ ...env, DATABASE_URL: standbyUrl.href });
      await next.printed(/differed from the table: published again 1, retracted 1/);
      await eventually(async () => (await publishing(after)).waiting === 0);
      await assertPublished(after, output);
    } finally {
      standby.stop();
      await eventually(() => Deno.remove(directory, { recursive: true }));
    }
  },
);

import assert from "node:assert/strict";
import { eventually } from "../support/eventually.ts";
import { type FaultStand, faultTest } from "../support/fault_stand.ts";
import { openAdmin } from "../support/kafka.ts";
import { notified } from "../support/postgres.ts";

/** A pause of random length: the harm has to come at any moment. */
async function sometime(mostMs: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, Math.random() * mostMs));
}

faultTest(
  "a worker that is killed ten times at random moments counts exactly",
  {},
  async (stand) => {
    await stand.whileProducing(async () => {
      for (let round = 0; round < 10; round++) {
        await using worker = await stand.startWorker();
        await stand.progress();
        await sometime(400);
        worker.signal("SIGKILL");
        await worker.exitCode();
      }
    });
    await using _last = await stand.startWorker();
    await stand.assertExact();
  },
);

faultTest(
  "a worker that is killed between the database's commit and Kafka's counts exactly",
  {},
  async (stand) => {
    {
      await using first = await stand.startWorker();
      await stand.produce(100);
      await stand.progress();
      first.signal("SIGTERM");
      await first.exitCode();
    }
    const { connection, url } = stand.database;
    await connection.query({
      text: `
      create function tell() returns trigger language plpgsql as $$
      begin perform pg_notify('committed', ''); return null; end $$;
      create trigger tell after update on kafka_offsets execute function tell()`,
    });
    await stand.produce(50_000);
    for (let round = 0; round < 5; round++) {
      await using worker = await stand.startWorker();
      await stand.produce(20_000);
      // The notification leaves the server with the commit, before the worker can act on its answer.
      await notified(url, "committed");
      worker.signal("SIGKILL");
      await worker.exitCode();
    }
    await connection.query({ text: "drop trigger tell on kafka_offsets" });
    await using _last = await stand.startWorker();
    await stand.assertExact();
  },
);

faultTest("three workers that join, leave and are killed for a minute count exactly", {
  partitions: 8,
}, async (stand) => {
  const deadline = Date.now() + 60_000;
  await stand.whileProducing(async () => {
    const life = async (signals: readonly Deno.Signal[]) => {
      for (let round = 0; Date.now() < deadline; round++) {
        await using worker = await stand.startWorker();
        await sometime(6_000);
        worker.signal(signals[round % signals.length]!);
        await worker.exitCode();
      }
    };
    await Promise.all([
      life(["SIGTERM"]),
      life(["SIGKILL", "SIGTERM"]),
      life(["SIGINT", "SIGKILL"]),
    ]);
  });
  await using _last = await stand.startWorker();
  await stand.assertExact();
});

faultTest(
  "a worker that is frozen longer than its session, and thaws, is fenced and counts exactly",
  {},
  async (stand) => {
    await using frozen = await stand.startWorker({ ...stand.env(), COMMIT_INTERVAL_MS: "2000" });
    await stand.whileProducing(async () => {
      await stand.progress();
      frozen.signal("SIGSTOP");
      await using other = await stand.startWorker();
      await other.printed(/Reading 4 partitions/); // the session of the frozen one is over
      await stand.progress();
      await stand.progress();
      frozen.signal("SIGCONT");
      await frozen.printed(/Reading 2 partitions/);
      await stand.progress();
    });
    await stand.assertExact();
    frozen.signal("SIGTERM");
    assert.equal(await frozen.exitCode(), 0, frozen.stderr);
  },
);

faultTest(
  "more workers than partitions: those without stand by, ready and calm",
  { partitions: 1 },
  async (stand) => {
    await using first = await stand.startWorker();
    await using second = await stand.startWorker();
    const idle = await Promise.race([
      first.printed(/standing by/).then(() => first),
      second.printed(/standing by/).then(() => second),
    ]);
    const [, url] = await idle.printed(/Page on (http:[^ ]+\/),/);
    assert.equal((await fetch(`${url}readyz`)).status, 200);
    const busy = idle === first ? second : first;
    await stand.produce(5_000);
    await stand.progress();
    busy.signal("SIGKILL");
    await stand.produce(5_000);
    await idle.printed(/Reading 1 partition:/);
    await stand.assertExact();
  },
);

faultTest("the group's offsets in Kafka do not matter", {}, async (stand) => {
  const { topic } = stand;
  for (const harm of ["deleted", "moved to the end", "moved to the start"] as const) {
    await stand.produce(10_000);
    {
      await using worker = await stand.startWorker();
      await stand.caughtUp();
      worker.signal("SIGTERM");
      await worker.exitCode();
    }
    await stand.produce(5_000);
    await eventually(() => harmGroup(stand, harm)); // a worker that ended may be a member for a while
  }
  await using _last = await stand.startWorker();
  await stand.assertExact();

  async function harmGroup(stand: FaultStand, harm: string): Promise<void> {
    await using admin = await openAdmin(topic.brokers);
    const { groupId } = topic.config;
    if (harm === "deleted") await admin.deleteGroups([groupId]);
    else {await admin.resetOffsets({
        groupId,
        topic: stand.topic.name,
        earliest: harm.endsWith("start"),
      });}
  }
});

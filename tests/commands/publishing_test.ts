import assert from "node:assert/strict";
import { eventually } from "../support/eventually.ts";
import { createTopic, openAdmin, type TestTopic } from "../support/kafka.ts";
import { kcatConsume, kcatProduce } from "../support/kcat.ts";
import { serverTest } from "../support/servers.ts";
import { openStack, recordsRead, type TestStack } from "../support/stack.ts";
import { Program } from "../support/worker_process.ts";

const MINUTE_MS = 60_000;
const LAST_MS = Math.floor(Date.now() / MINUTE_MS) * MINUTE_MS;
const TYPES = ["clicked", "register", "pay"];
const LOTTERIES = 40;
const WINDOWS = 50;

/** One event for every lottery and type in each of the windows before the last one. */
function eventLines(): string[] {
  return Array.from({ length: WINDOWS * LOTTERIES * TYPES.length }, (_, n) =>
    eventLine(
      LAST_MS - MINUTE_MS * (1 + n % WINDOWS),
      `lötto "${Math.floor(n / WINDOWS) % LOTTERIES}"`,
      TYPES[Math.floor(n / WINDOWS / LOTTERIES)]!,
    ));
}

function eventLine(timestamp: number, lottery_name: string, event_type: string): string {
  return JSON.stringify({ lottery_name, event_type, timestamp });
}

/** Moves event time in both partitions, so that all windows before the last one are closed. */
async function closeWindows({ topic }: TestStack): Promise<void> {
  for (const partition of [0, 1]) {
    await kcatProduce(topic, [eventLine(LAST_MS, "closer", "pay")], { partition });
  }
}

interface Published {
  readonly version: number;
  readonly revision: number;
  readonly window_start: string;
  readonly window_end: string;
  readonly lottery_name: string;
  readonly event_type: string;
  readonly event_count: number;
}

/** Compares what consumers keep with every row of the closed windows. */
async function assertPublished({ database }: TestStack, output: TestTopic): Promise<void> {
  const records = (await kcatConsume(output)).map(({ key, value }) => (
    { key, value: JSON.parse(value) as Published }
  ));
  const greatest = new Map<string, Published>();
  for (const { key, value } of records) {
    if (value.revision > (greatest.get(key)?.revision ?? 0)) greatest.set(key, value);
  }
  // What compaction leaves, which is the last record of each key, is the same.
  assert.deepEqual(greatest, new Map(records.map(({ key, value }) => [key, value])));

  const rows = await database.connection.query<Record<string, unknown>>({
    text: `
      select a.*
      from lottery_aggregates a join lottery_windows w using (window_start)
      where w.closed`,
  });
  assert.equal(rows.length, greatest.size);
  for (const row of rows) {
    const start = (row.window_start as Date).toISOString();
    const { revision: _, ...value } = greatest.get(
      JSON.stringify([start, row.lottery_name, row.event_type]),
    )!;
    assert.deepEqual(value, {
      version: 1,
      window_start: start,
      window_end: (row.window_end as Date).toISOString(),
      lottery_name: row.lottery_name,
      event_type: row.event_type,
      event_count: row.event_count,
    });
  }
}

/** Numbers of rows that are closed, and that wait to be published. */
async function standing({ database }: TestStack): Promise<{ closed: number; waiting: number }> {
  const [row] = await database.connection.query<{ closed: number; waiting: number }>({
    text: `
      select
        (select count(*) from lottery_aggregates where window_start < p.outbox_up_to) as closed,
        (select count(*) from outbox) as waiting
      from pipeline p`,
  });
  return row!;
}

async function allPublished(stack: TestStack, rows: number): Promise<void> {
  await eventually(async () => {
    const { closed, waiting } = await standing(stack);
    return closed === rows && waiting === 0;
  }, { timeoutMs: 60_000 });
}

serverTest(
  "start publishes each closed window, late events too, although it is killed in the middle",
  ["kafka", "postgres"],
  async () => {
    await using stack = await openStack({ partitions: 2 });
    await using output = await createTopic({ partitions: 3 });
    const env = { ...stack.env, KAFKA_OUTPUT_TOPIC: output.name, GRACE_SECONDS: "0" };
    const lines = eventLines();
    await kcatProduce(stack.topic, lines);
    await closeWindows(stack);
    let total = lines.length;
    for (let round = 0; round < 3; round++) {
      await using worker = await Program.start(["start"], { env });
      // As soon as some are acknowledged, and others wait.
      await eventually(async () => {
        const { closed, waiting } = await standing(stack).catch(() => ({ closed: 0, waiting: 0 }));
        return waiting > 0 && waiting < closed;
      });
      worker.signal("SIGKILL");
      await worker.exitCode();
      assert.ok((await standing(stack)).waiting > 0, "killed in the middle");
      // Late: for windows some of which are published already, and of a lottery that they lack.
      await kcatProduce(stack.topic, [
        ...lines.filter((_, n) => n % 7 === round),
        eventLine(LAST_MS - 9 * MINUTE_MS, `late ${round}`, "pay"),
      ]);
      total++;
    }
    await using worker = await Program.start(["start"], { env });
    const [, url] = await worker.printed(/Page on (http:[^ ]+\/),/);
    await allPublished(stack, total);
    await assertPublished(stack, output);
    assert.match(
      await (await fetch(`${url}metrics`)).text(),
      /^lottery_published_total [1-9]\d*$/m,
    );
  },
);

serverTest(
  "of two workers that start publishes with one publishes, and the other goes on when it is killed",
  ["kafka", "postgres"],
  async () => {
    await using stack = await openStack({ partitions: 2 });
    await using output = await createTopic({ partitions: 3 });
    const env = { ...stack.env, KAFKA_OUTPUT_TOPIC: output.name, GRACE_SECONDS: "0" };
    const workers = [
      await Program.start(["start"], { env }),
      await Program.start(["start"], { env }),
    ] as const;
    await using _first = workers[0];
    await using _second = workers[1];
    const lines = eventLines();
    await kcatProduce(stack.topic, lines);
    await closeWindows(stack);
    await eventually(async () => {
      const { closed, waiting } = await standing(stack);
      return waiting > 0 && waiting < closed;
    });
    const published = await Promise.all(workers.map(async (worker) => {
      const [, url] = await worker.printed(/Page on (http:[^ ]+\/),/);
      const metrics = await (await fetch(`${url}metrics`)).text();
      return Number(metrics.match(/^lottery_published_total (\d+)$/m)![1]);
    }));
    assert.equal(published.filter((counts) => counts > 0).length, 1, "one at a time");
    workers[published.findIndex((counts) => counts > 0)]!.signal("SIGKILL");
    await kcatProduce(stack.topic, lines.slice(0, 500));
    await eventually(async () => await recordsRead(stack.database) === lines.length + 502, {
      timeoutMs: 60_000,
    });
    await allPublished(stack, lines.length);
    await assertPublished(stack, output);
  },
);

serverTest(
  "start counts on while it cannot publish, says so once, and publishes later",
  ["kafka", "postgres"],
  async () => {
    await using stack = await openStack({ partitions: 2 });
    const name = `output-${crypto.randomUUID()}`;
    const env = { ...stack.env, KAFKA_OUTPUT_TOPIC: name, GRACE_SECONDS: "0" };
    await using worker = await Program.start(["start"], { env });
    await worker.printed(
      /Cannot publish to .*, but goes on trying, and counting: The topic .* does not exist. Create it, or set KAFKA_OUTPUT_TOPIC/,
    );
    await kcatProduce(stack.topic, eventLines().slice(0, 100));
    await closeWindows(stack);
    await eventually(async () => await recordsRead(stack.database) === 102);

    await using admin = await openAdmin(stack.topic.brokers);
    await admin.createTopics({ topics: [{ topic: name, numPartitions: 1 }] });
    await worker.printed(/Publishing to .* works after \d+ s/);
    await allPublished(stack, 100);
    await assertPublished(stack, { ...stack.topic, name });
    assert.equal(worker.stderr.match(/Cannot publish/g)!.length, 1);
    worker.signal("SIGTERM");
    assert.equal(await worker.exitCode(), 0, worker.stderr);
  },
);

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { Generator } from "../../../lib/core/simulation/generator.ts";
import { deleteRecords } from "../../support/audit_stand.ts";
import { readWithOurs } from "../../support/record_reader.ts";
import { serverTest } from "../../support/servers.ts";
import { openStack } from "../../support/stack.ts";
import { Program, runProgram } from "../../support/worker_process.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

const text = (hex: string | null) => hex === null ? null : Buffer.from(hex, "hex").toString();

serverTest("produce sends as many events as it was told, those of its seed, keyed by lottery", [
  "kafka",
  "postgres",
], async () => {
  await using stack = await openStack();
  const args = [
    "--count",
    "3000",
    "--rate",
    "max",
    "--lotteries",
    "7",
    "--bad",
    "0.1",
    "--late",
    "0",
    "--seed",
    "5",
  ];
  const { code, stderr } = await runProgram(["produce", ...args], { env: stack.env });
  assert.equal(code, 0, stderr);
  assert.match(stderr, /Sent 3000 records in [\d.]+ s: [\d,]+ records\/s/);

  const records = await readWithOurs(stack.topic);
  assert.equal(records.length, 3_000);
  const generator = new Generator({ seed: 5, lotteries: 7, badShare: 0.1, lateShare: 0 });
  const keys = Array.from({ length: 3_000 }, (_, n) => generator.record(n, 0).key);
  assert.deepEqual(records.map(({ key }) => text(key)).sort(), keys.sort());
  const partitions = new Map(records.map(({ key, partition }) => [text(key), partition]));
  for (const { key, partition } of records) assert.equal(partition, partitions.get(text(key)));
  assert.equal(partitions.size, 7);
});

serverTest(
  "produce sends the days before now first, in order of time, and continues with the same story",
  ["kafka", "postgres"],
  async () => {
    await using stack = await openStack({ partitions: 2 });
    const args = ["--history", "2d", "--rate", "0.05", "--seed", "3", "--late", "0"];
    await using program = await Program.start(["produce", ...args, "--bad", "0"], {
      env: { ...stack.env, LOG_FORMAT: "pretty" },
    });
    const startMs = Date.now();
    await program.printed(/Producing the last 2 days to test-/);
    await program.printed(/Sent [\d,]+ records of 2 days in/);
    await program.printed(/Producing 0.05 events\/s to test-/);
    program.signal("SIGINT");
    assert.equal(await program.exitCode(), 0, program.stderr);

    const records = await readWithOurs(stack.topic);
    assert.ok(records.length > 2 * DAY_MS / 1000 * 0.05, `${records.length}`);
    for (const partition of [0, 1]) {
      const times = records.filter((record) => record.partition === partition)
        .map(({ value }) => JSON.parse(text(value)!).timestamp);
      assert.ok(Math.abs(times[0] - (startMs - 2 * DAY_MS)) < 2 * HOUR_MS);
      assert.ok(Math.abs(times.at(-1) - startMs) < HOUR_MS);
      // An event comes up to a second after its time.
      assert.ok(times.every((time, at) => at === 0 || time > times[at - 1] - 1_000));
    }
    // Kafka keeps records for days after they were sent, not after what they tell of.
    for (const { timestampMs } of records) assert.ok(Math.abs(timestampMs - startMs) < HOUR_MS);

    // Even at the same rate it is not sent twice.
    await using again = await Program.start(["produce", ...args, "--yes"], { env: stack.env });
    await again.printed(/is in use: its history is not sent, only events from now on/);
    await again.printed(/Producing 0.05 events\/s/);
    again.signal("SIGINT");
    assert.equal(await again.exitCode(), 0, again.stderr);
    const all = await readWithOurs(stack.topic);
    assert.ok(all.length < records.length + 100, `${all.length} after ${records.length}`);
  },
);

serverTest(
  "produce sends no more of its history than it was told",
  ["kafka", "postgres"],
  async () => {
    await using stack = await openStack({ partitions: 1 });
    const args = ["--history", "2d", "--rate", "0.05", "--count", "100"];
    const { code, stderr } = await runProgram(["produce", ...args], { env: stack.env });
    assert.equal(code, 0, stderr);
    assert.equal((await readWithOurs(stack.topic)).length, 100);
  },
);

serverTest(
  "produce sends no payments for a lottery that stops",
  ["kafka", "postgres"],
  async () => {
    await using stack = await openStack({ partitions: 1 });
    const produce = (...args: string[]) =>
      runProgram(["produce", "--yes", "--bad", "0", "--late", "0", ...args], { env: stack.env });
    /** Who was paid for in the last seconds. */
    const paidFor = async () => {
      const events = (await readWithOurs(stack.topic)).map(({ value }) => JSON.parse(text(value)!));
      const endMs = Math.max(...events.map(({ timestamp }) => timestamp));
      const last = events.filter(({ event_type, timestamp }) =>
        event_type === "pay" && timestamp > endMs - 3_000
      );
      return new Set(last.map(({ lottery_name }) => lottery_name));
    };
    assert.equal((await produce("--rate", "max", "--count", "3000")).code, 0);
    assert.ok((await paidFor()).has("mega_draw"));
    // Events happen up to a second before they are sent, the first of these before it stops.
    const stopped = await produce("--rate", "400", "--count", "2000", "--stop", "mega_draw");
    assert.equal(stopped.code, 0, stopped.stderr);
    const left = await paidFor();
    assert.ok(!left.has("mega_draw") && left.size > 3, [...left].join());

    const unknown = await produce("--stop", "nothing");
    assert.equal(unknown.code, 1);
    assert.match(unknown.stderr, /There is no lottery nothing to stop\. Pass one of .* mega_draw/);
    const endless = await produce("--history", "1d", "--rate", "max");
    assert.equal(endless.code, 2);
    assert.match(endless.stderr, /--history needs a --rate other than max/);
  },
);

serverTest("produce keeps its rate and stops when asked", ["kafka", "postgres"], async () => {
  await using stack = await openStack();
  await using program = await Program.start(["produce", "--rate", "200", "--count", "300"], {
    env: stack.env,
  });
  assert.equal(await program.exitCode(), 0, program.stderr);
  const [, seconds] = program.stderr.match(/Sent 300 records in ([\d.]+) s/)!;
  assert.ok(Number(seconds) > 1.2, `300 events at 200/s took ${seconds} s`);

  await using endless = await Program.start(["produce", "--yes"], { env: stack.env });
  await endless.printed(/Producing 50 events\/s to test-[^ ]+ at [^ ]+:\d+/);
  endless.signal("SIGINT");
  assert.equal(await endless.exitCode(), 0, endless.stderr);
  assert.match(endless.stderr, /Sent \d+ records/);
});

serverTest(
  "produce sends nothing to a topic in use unless it is told to",
  ["kafka", "postgres"],
  async () => {
    await using stack = await openStack({ partitions: 1 });
    const produce = (...args: string[]) =>
      runProgram(["produce", "--count", "10", "--rate", "max", ...args], { env: stack.env });
    assert.equal((await produce()).code, 0, "it is empty");
    const refused = await produce();
    assert.equal(refused.code, 1);
    assert.match(
      refused.stderr,
      /The topic test-[^ ]+ at [^ ]+:\d+ is in use: 10 records were written to it\. Nothing was sent: .* Add --yes/,
    );
    // What it once held may have been counted, though it is deleted since.
    await deleteRecords(stack, new Map([[0, 10]]));
    assert.equal((await produce()).code, 1);
    assert.equal((await readWithOurs(stack.topic)).length, 0);
    assert.equal((await produce("--yes")).code, 0);
    assert.equal((await readWithOurs(stack.topic)).length, 10);
  },
);

serverTest(
  "produce names broker and topic before it sends anything",
  ["kafka", "postgres"],
  async () => {
    // It takes no record.
    await using stack = await openStack({ config: { "max.message.bytes": "1" } });
    const { code, stderr } = await runProgram(["produce", "--count", "10"], { env: stack.env });
    assert.equal(code, 1, stderr);
    const { name, config } = stack.topic;
    const place = `${name} at ${config.brokers.join(", ")}`;
    assert.ok(stderr.includes(`"Producing 50 events/s to ${place}"`), stderr);
    assert.equal((await readWithOurs(stack.topic)).length, 0);
  },
);

serverTest(
  "migrate creates the database that is missing, once",
  ["kafka", "postgres"],
  async () => {
    await using stack = await openStack();
    const url = new URL(stack.database.url);
    url.pathname += "_new";
    const env = { ...stack.env, DATABASE_URL: url.href };
    try {
      assert.equal((await runProgram(["migrate"], { env })).code, 1);
      const created = await runProgram(["migrate", "--create-database"], { env });
      assert.equal(created.code, 0, created.stderr);
      assert.match(created.stderr, /Created the database [^ ]+_new"/);
      assert.match(created.stderr, /Brought the database [^ ]+_new up to date/);
      const again = await runProgram(["migrate", "--create-database"], { env });
      assert.equal(again.code, 0, again.stderr);
      assert.match(again.stderr, /is up to date/);
    } finally {
      await stack.database.connection.query({
        text: `drop database if exists ${url.pathname.slice(1)} with (force)`,
      });
    }
  },
);

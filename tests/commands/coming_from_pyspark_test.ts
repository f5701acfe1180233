import assert from "node:assert/strict";
import { join } from "node:path";
import { countAll } from "../support/audit_stand.ts";
import { makeLines } from "../support/event_lines.ts";
import { Expectation } from "../support/expectation.ts";
import { run } from "../support/guarded_process.ts";
import { openAdmin } from "../support/kafka.ts";
import { kcatProduce } from "../support/kcat.ts";
import { serverTest } from "../support/servers.ts";
import { openStack, type TestStack } from "../support/stack.ts";
import { runProgram } from "../support/worker_process.ts";

const ROOT = join(import.meta.dirname!, "..", "..");

/** The code of the README's section, in its order. */
async function readmeBlocks(language: "sh" | "sql"): Promise<string[]> {
  const readme = await Deno.readTextFile(join(ROOT, "lib/commands/README.md"));
  const section = readme.match(/\n## Coming from PySpark\n[^]*?(?=\n## |$)/)![0];
  return Array.from(
    section.matchAll(new RegExp(`\`\`\`${language}\n([^]*?)\`\`\``, "g")),
    ([, code]) => code!,
  );
}

/** The table as Spark's JDBC writer makes it, with the counts of everything so far and of nothing else. */
async function makeOldTable({ database }: TestStack, counted: Expectation): Promise<void> {
  await database.connection.query({
    text: `
      create table lottery_aggregates (
        window_start timestamp,
        window_end timestamp,
        lottery_name text,
        event_type text,
        event_count bigint not null
      )`,
  });
  for (const [key, count] of counted.counts) {
    const [startMs, lotteryName, eventType] = JSON.parse(key);
    const start = new Date(startMs).toISOString().replace("Z", "");
    await database.connection.query({
      text: `
        insert into lottery_aggregates
        select $1::timestamp, $1::timestamp + interval '1 minute', $2, $3, batch_count
        from unnest($4::bigint[]) as batch_count`, // appended once while it grew, and once at last
      values: [start, lotteryName, eventType, count > 1 ? [1, count] : [count]],
    });
  }
}

/** A checkpoint folder as Spark leaves it: the last batch was begun, and not finished. */
async function makeCheckpoint(
  directory: string,
  ends: readonly Readonly<Record<string, Record<string, number>>>[],
): Promise<void> {
  for (const name of ["offsets", "commits"]) {
    await Deno.mkdir(join(directory, "checkpoint", name), { recursive: true });
  }
  for (const [batch, end] of ends.entries()) {
    const lines = ["v1", '{"batchWatermarkMs":0,"batchTimestampMs":1}', JSON.stringify(end)];
    await Deno.writeTextFile(
      join(directory, "checkpoint/offsets", `${batch + 8}`),
      lines.join("\n"),
    );
    if (batch < ends.length - 1) {
      await Deno.writeTextFile(
        join(directory, "checkpoint/commits", `${batch + 8}`),
        'v1\n{"nextBatchWatermarkMs":0}',
      );
    }
  }
}

serverTest(
  "the README's way from PySpark carries on where Spark has stopped, and joins old and new",
  ["kafka", "postgres"],
  async () => {
    await using stack = await openStack({ partitions: 2 });
    const { topic, database: { connection }, env } = stack;
    const directory = await Deno.makeTempDir();
    try {
      const ends = async () => {
        await using admin = await openAdmin(topic.brokers);
        const offsets = await admin.fetchTopicOffsets(topic.name);
        return Object.fromEntries(offsets.map(({ partition, high }) => [partition, Number(high)]));
      };
      const expected = new Expectation();
      await kcatProduce(topic, makeLines(3_000, expected));
      await makeOldTable(stack, expected);
      const finished = await ends();
      await kcatProduce(topic, makeLines(3_000, expected));
      await makeCheckpoint(directory, [
        { [topic.name]: { "0": 1, "1": 1 } },
        { [topic.name]: finished },
        { [topic.name]: await ends() },
      ]);

      const [readOffsets, commands] = await readmeBlocks("sh");
      const [rename, createView] = await readmeBlocks("sql");
      const refused = await runProgram(["migrate"], { env });
      assert.equal(refused.code, 1);
      assert.ok(refused.stderr.includes(rename!.trim()), refused.stderr);
      await connection.query({ text: rename! });

      const offsets = await run("sh", ["-c", `cd ${directory} && ${readOffsets}`]);
      assert.deepEqual(JSON.parse(offsets), { [topic.name]: finished });
      assert.match(commands!, /^ +deno task migrate\n +deno task reset --log --to '.*'\n/);
      assert.equal((await runProgram(["migrate"], { env })).code, 0);
      const args = ["reset", "--log", "--to", offsets.trim(), "--yes"];
      const reset = await runProgram(args, { env });
      assert.equal(reset.code, 0, reset.stderr);
      await countAll(stack);

      await connection.query({ text: createView! });
      const rows = await connection.query<
        { window_start: Date; lottery_name: string; event_type: string; event_count: number }
      >({ text: "select * from lottery_old_and_new" });
      const joined = new Map(rows.map((row) => [
        JSON.stringify([row.window_start.getTime(), row.lottery_name, row.event_type]),
        row.event_count,
      ]));
      assert.equal(rows.length, expected.counts.size);
      for (const [key, count] of expected.counts) assert.equal(joined.get(key), count, key);
    } finally {
      await Deno.remove(directory, { recursive: true });
    }
  },
);

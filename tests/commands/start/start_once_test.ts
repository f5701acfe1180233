import assert from "node:assert/strict";
import { eventsOf, hourAgo } from "../../support/audit_stand.ts";
import { makeLines } from "../../support/event_lines.ts";
import { assertBooksBalance, Expectation } from "../../support/expectation.ts";
import { kcatProduce } from "../../support/kcat.ts";
import { serverTest } from "../../support/servers.ts";
import { openStack } from "../../support/stack.ts";
import { runProgram } from "../../support/worker_process.ts";

serverTest(
  "start --once counts 300,000 foreign records exactly, keeps the bad ones, and goes on from there",
  ["kafka", "postgres"],
  async () => {
    await using stack = await openStack();
    const { topic, database: { connection }, env } = stack;
    const expected = new Expectation();
    const countAndCompare = async () => {
      const { code, stderr } = await runProgram(["start", "--once"], { env });
      assert.equal(code, 0, stderr);
      await expected.assertStored(connection);
      await assertBooksBalance(connection);
    };

    await kcatProduce(topic, makeLines(300_000, expected));
    await countAndCompare();
    await countAndCompare(); // nothing new: nothing changes
    await kcatProduce(topic, makeLines(50_000, expected));
    await countAndCompare();
  },
);

serverTest(
  "start --once ends at once on a topic without records",
  ["kafka", "postgres"],
  async () => {
    await using stack = await openStack();
    const { code, stderr } = await runProgram(["start", "--once"], { env: stack.env });
    assert.equal(code, 0, stderr);
    assert.match(stderr, /Counted 0 events/);
  },
);

serverTest(
  "start --once says that the topic is missing, and exits 1",
  ["kafka", "postgres"],
  async () => {
    await using stack = await openStack();
    const env = { ...stack.env, KAFKA_TOPIC: "not-there" };
    const { code, stderr } = await runProgram(["start", "--once"], { env });
    assert.equal(code, 1);
    assert.match(
      stderr,
      /The topic not-there does not exist. Create it, or set KAFKA_TOPIC to another/,
    );
  },
);

serverTest("start --once refuses other settings than those of the counts that are there", [
  "kafka",
  "postgres",
], async () => {
  await using stack = await openStack();
  assert.equal((await runProgram(["start", "--once"], { env: stack.env })).code, 0);
  const { code, stderr } = await runProgram(["start", "--once"], {
    env: { ...stack.env, WINDOW_SECONDS: "300", KAFKA_GROUP_ID: "another" },
  });
  assert.equal(code, 1);
  assert.match(stderr, /WINDOW_SECONDS is 300, but was 60/);
  assert.match(stderr, /KAFKA_GROUP_ID is another, but was group-test/);
});

serverTest(
  "start --once closes the windows whose grace has passed, whatever partitions had no events",
  ["kafka", "postgres"],
  async () => {
    await using stack = await openStack({ partitions: 4 });
    const { topic, env, database: { connection } } = stack;
    const fromMs = hourAgo(2);
    const minutes = (lottery: string, count: number) =>
      eventsOf(lottery, { fromMs, minutes: count, perMinute: 2 });
    const closed = async () => {
      const rows = await connection.query<{ window_start: Date }>({
        text: "select window_start from lottery_windows where closed order by window_start",
      });
      return rows.map(({ window_start }) => (window_start.getTime() - fromMs) / 60_000);
    };
    const count = async () => {
      const { code, stderr } = await runProgram(["start", "--once"], { env });
      assert.equal(code, 0, stderr);
    };
    // Partition 2 has bad records only, and partition 3 none.
    await kcatProduce(topic, minutes("a", 10), { partition: 0 });
    await kcatProduce(topic, minutes("b", 5), { partition: 1 });
    await kcatProduce(topic, ["bad"], { partition: 2 });
    await count();
    // Up to the last event of the partition that is behind, less the grace of a minute.
    assert.deepEqual(await closed(), [0, 1, 2]);

    // A partition without news for long does not hold the others back, as while a worker runs.
    await connection.query({
      text: "update kafka_offsets set updated_at = now() - interval '1 day', caught_up_at = null",
    });
    await kcatProduce(topic, minutes("a", 12), { partition: 0 });
    await count();
    assert.deepEqual(await closed(), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  },
);

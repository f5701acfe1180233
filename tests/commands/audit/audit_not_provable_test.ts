import assert from "node:assert/strict";
import {
  auditReport,
  countAll,
  deleteRecords,
  eventsOf,
  hourAgo,
} from "../../support/audit_stand.ts";
import { makeLines } from "../../support/event_lines.ts";
import { Expectation } from "../../support/expectation.ts";
import { setCleanupPolicy } from "../../support/kafka.ts";
import { kcatProduce } from "../../support/kcat.ts";
import { serverTest } from "../../support/servers.ts";
import { openStack, recordsRead, type TestStack } from "../../support/stack.ts";
import { runProgram } from "../../support/worker_process.ts";

/** Lets the next commit note where the partitions stand: ten minutes have passed. */
async function letTimePass({ database }: TestStack): Promise<void> {
  await database.connection.query({
    text: "update offset_history set at = at - interval '11 minutes'",
  });
}

serverTest(
  "audit of a log whose beginning is deleted proves what can be proved, and finds what is wrong there",
  ["kafka", "postgres"],
  async () => {
    await using stack = await openStack({ partitions: 2 });
    const { topic, database: { connection } } = stack;
    for (const partition of [0, 1]) {
      const early = eventsOf("early", { fromMs: hourAgo(4), minutes: 3, perMinute: 100 });
      await kcatProduce(topic, [...early, "{bad"], { partition });
    }
    await countAll(stack);
    await letTimePass(stack);
    for (const partition of [0, 1]) { // into the same windows, and into later ones
      const early = eventsOf("early", { fromMs: hourAgo(4), minutes: 1, perMinute: 30 });
      const later = eventsOf("later", { fromMs: hourAgo(2), minutes: 3, perMinute: 100 });
      await kcatProduce(topic, [...early, ...later, "[]"], { partition });
    }
    await countAll(stack);
    assert.equal((await auditReport(stack)).verdict, "agrees");

    await deleteRecords(stack, new Map([[0, 200], [1, 301]])); // in the middle, and just so far
    const untouched = await auditReport(stack);
    assert.equal(untouched.code, 3, JSON.stringify(untouched));
    assert.deepEqual(untouched.rows, { agreeing: 3, wrong: 0, not_provable: 3 });
    assert.deepEqual(untouched.dead_letters, { agreeing: 3, wrong: 0, not_provable: 1 });
    assert.equal(untouched.provable_after, new Date(hourAgo(4) + 120_099).toISOString());
    const { stdout } = await runProgram(["audit"], { env: stack.env });
    assert.match(stdout, /All that can be recounted agrees. 3 rows and 1 dead letter cannot be/);

    const change = (lottery: string, minute: number, count: string) =>
      connection.query({
        text: `
          update lottery_aggregates set event_count = ${count}
          where lottery_name = '${lottery}'
            and window_start = to_timestamp(${hourAgo(lottery === "early" ? 4 : 2)} / 1000.0)
              + interval '${minute} minutes'`,
      });
    await change("later", 1, "event_count + 1");
    await change("early", 0, "50"); // fewer than the 60 that are still there
    const found = await auditReport(stack);
    assert.equal(found.code, 1);
    assert.deepEqual(
      found.row_differences.map((
        { lottery_name, stored, recounted, is_partial },
      ) => [lottery_name, stored, recounted, is_partial]),
      [["early", 50, 60, true], ["later", 201, 200, false]],
    );

    await change("later", 1, "event_count - 1");
    await change("early", 0, "261"); // one too many, which no recount can tell
    const unbalanced = await auditReport(stack);
    assert.equal(unbalanced.code, 1);
    assert.equal(unbalanced.ledger.balance, false);
    assert.deepEqual(unbalanced.row_differences, []);

    await change("early", 0, "260");
    await connection.query({
      text: "delete from dead_letters where partition = 1 and reason = 'not_an_object'",
    });
    const letter = await auditReport(stack);
    assert.equal(letter.code, 1);
    assert.deepEqual(
      letter.dead_letter_differences.map(({ partition, recounted }) => [partition, recounted]),
      [[1, "not_an_object"]],
    );
  },
);

serverTest(
  "audit takes no record for lost that was not counted: before counting began, or lost with ON_DATA_LOSS=continue",
  ["kafka", "postgres"],
  async () => {
    const env = { ON_DATA_LOSS: "continue" };
    await using opened = await openStack({ partitions: 1 });
    const stack = { ...opened, env: { ...opened.env, ...env } };
    const events = (lottery: string, hours: number) =>
      eventsOf(lottery, { fromMs: hourAgo(hours), minutes: 1, perMinute: 10 });
    await kcatProduce(stack.topic, events("never counted", 5));
    await deleteRecords(stack, new Map([[0, 5]]));
    await countAll(stack);
    assert.equal((await auditReport(stack)).verdict, "agrees");

    await kcatProduce(stack.topic, events("lost", 3));
    await deleteRecords(stack, new Map([[0, 15]]));
    await kcatProduce(stack.topic, events("after the loss", 2));
    await countAll(stack);
    assert.equal(await recordsRead(stack.database), 5 + 5 + 10);
    const report = await auditReport(stack);
    // Nothing was noted since the loss, so of all windows a part may be gone.
    assert.equal(report.code, 3, JSON.stringify(report));
    assert.deepEqual(report.rows, { agreeing: 0, wrong: 0, not_provable: 3 });
    assert.equal(report.records, 15);

    await letTimePass(stack);
    await kcatProduce(stack.topic, events("later", 1));
    await countAll(stack);
    await deleteRecords(stack, new Map([[0, 30]]));
    assert.deepEqual((await auditReport(stack)).rows, { agreeing: 1, wrong: 0, not_provable: 3 });
  },
);

serverTest(
  "audit does not blame windows that a wrong clock counted into before the log began",
  ["kafka", "postgres"],
  async () => {
    await using stack = await openStack({ partitions: 1 });
    // Ahead of the clock by less than what makes it a dead letter, and by more than is noted.
    const fromMs = Math.ceil((Date.now() + 230_000) / 60_000) * 60_000;
    const ahead = eventsOf("ahead", { fromMs, minutes: 1, perMinute: 10 });
    await kcatProduce(stack.topic, ahead);
    await countAll(stack);
    const { connection } = stack.database;
    // As if the clock had been further ahead than a stored event time may be.
    await connection.query({ text: "update kafka_offsets set max_event_time = now()" });
    await letTimePass(stack);
    await kcatProduce(stack.topic, ["{bad"]);
    await countAll(stack);
    await deleteRecords(stack, new Map([[0, 10]]));
    const report = await auditReport(stack);
    assert.equal(report.code, 3, JSON.stringify(report));
    assert.deepEqual(report.rows, { agreeing: 0, wrong: 0, not_provable: 1 });
    await connection.query({ text: "delete from windows_ahead" });
    assert.equal((await auditReport(stack)).code, 1, "it was the note that told");
  },
);

serverTest(
  "audit says that nothing of a compacted topic can be proved",
  ["kafka", "postgres"],
  async () => {
    await using stack = await openStack();
    await kcatProduce(stack.topic, makeLines(1_000, new Expectation()));
    await countAll(stack);
    await setCleanupPolicy(stack.topic, "compact");
    const report = await auditReport(stack);
    assert.equal(report.code, 3, JSON.stringify(report));
    assert.equal(report.rows.agreeing, 0);
    assert.equal(report.ledger.balance, true);
  },
);

import assert from "node:assert/strict";
import { ConfigResourceTypes } from "../../lib/io/kafka/kafkajs.ts";
import { auditReport, countAll, deleteRecords, eventsOf } from "../support/audit_stand.ts";
import { makeLines } from "../support/event_lines.ts";
import { eventually } from "../support/eventually.ts";
import { Expectation } from "../support/expectation.ts";
import { freePort } from "../support/guarded_process.ts";
import { openAdmin } from "../support/kafka.ts";
import { kcatProduce } from "../support/kcat.ts";
import { serverTest } from "../support/servers.ts";
import { openStack, recordsRead, type TestStack } from "../support/stack.ts";
import { Program, runProgram } from "../support/worker_process.ts";

const HOUR_MS = 3_600_000;
const hourAgo = (hours: number) => Math.floor((Date.now() - hours * HOUR_MS) / HOUR_MS) * HOUR_MS;

/** Lets the next commit note where the partitions stand: ten minutes have passed. */
async function letTimePass({ database }: TestStack): Promise<void> {
  await database.connection.query({
    text: "update offset_history set at = at - interval '11 minutes'",
  });
}

serverTest(
  "audit finds that everything agrees while a worker counts, and stays out of its group",
  ["kafka", "postgres"],
  async () => {
    await using stack = await openStack();
    await kcatProduce(stack.topic, makeLines(40_000, new Expectation()));
    await using worker = await Program.start(["start"], { env: stack.env });
    await eventually(async () => await recordsRead(stack.database) >= 40_000);
    let isOver = false;
    const producing = (async () => {
      while (!isOver) await kcatProduce(stack.topic, makeLines(3_000, new Expectation()));
    })();
    try {
      for (let round = 0; round < 3; round++) {
        const report = await auditReport(stack);
        assert.equal(report.code, 0, JSON.stringify(report));
        assert.equal(report.verdict, "agrees");
        assert.ok(report.records >= 40_000);
        assert.equal(report.provableAfter, null);
      }
    } finally {
      isOver = true;
      await producing;
    }
    assert.equal(worker.stderr.match(/Reading 4 partitions/g)?.length, 1, "no rebalance");
    assert.ok(await recordsRead(stack.database) > 40_000, "it counted meanwhile");
  },
);

serverTest(
  "audit names a row that was changed, a missing one, an extra one, and dead letters that were",
  ["kafka", "postgres"],
  async () => {
    await using stack = await openStack({ partitions: 2 });
    const { topic, database: { connection }, env } = stack;
    const fromMs = hourAgo(2);
    for (const lottery of ["changed", "removed", "moved", "kept"]) {
      await kcatProduce(topic, eventsOf(lottery, { fromMs, minutes: 3, perMinute: 100 }));
    }
    await kcatProduce(topic, ["{bad", "[]", ""], { partition: 1 });
    await countAll(stack);
    assert.equal((await auditReport(stack)).verdict, "agrees");

    await connection.query({
      text: `
        update lottery_aggregates set event_count = event_count + 7
        where lottery_name = 'changed' and window_start = to_timestamp(${fromMs} / 1000.0);
        delete from lottery_aggregates
        where lottery_name = 'removed' and window_start = to_timestamp(${fromMs} / 1000.0);
        update lottery_aggregates set lottery_name = E'mo\\nved'
        where lottery_name = 'moved' and window_start = to_timestamp(${fromMs} / 1000.0);
        update lottery_aggregates set window_end = window_end + interval '1 s'
        where lottery_name = 'kept' and window_start = to_timestamp(${fromMs} / 1000.0);
        delete from dead_letters where reason = 'not_json';
        update dead_letters set reason = 'not_json' where reason = 'not_an_object';
        insert into dead_letters (topic, partition, kafka_offset, reason, headers)
        values ('${topic.name}', 0, 3, 'not_utf8', '[]')`,
    });

    const report = await auditReport(stack);
    assert.equal(report.code, 1);
    assert.deepEqual(
      report.rowDifferences.map((
        { lotteryName, stored, recounted },
      ) => [lotteryName, stored, recounted]).sort(),
      [
        ["changed", 107, 100],
        ["kept", 100, 100],
        ["mo\nved", 100, null],
        ["moved", null, 100],
        ["removed", null, 100],
      ],
    );
    assert.deepEqual(
      report.deadLetterDifferences.map((
        { partition, stored, recounted },
      ) => [partition, stored, recounted]),
      [
        [0, "not_utf8", null],
        [1, null, "not_json"],
        [1, "not_json", "not_an_object"],
      ],
    );
    assert.equal(report.books.balance, false);

    const { code, stdout } = await runProgram(["audit", "--limit", "2"], { env });
    assert.equal(code, 1);
    assert.match(stdout, /changed +pay +107 +100$/m);
    assert.match(stdout, /^ {2}and 3 more/m);
    assert.match(
      (await runProgram(["audit"], { env })).stdout,
      /mo\\u\{a\}ved +pay +100 +– +should not be there$/m,
    );
    assert.match(stdout, /WRONG: what is stored is not what the topic holds/);
  },
);

serverTest(
  "audit tells what is wrong in a partition's books though every row agrees",
  ["kafka", "postgres"],
  async () => {
    await using stack = await openStack({ partitions: 2 });
    await kcatProduce(stack.topic, makeLines(1_000, new Expectation()));
    await countAll(stack);
    await stack.database.connection.query({
      text: `
        update kafka_offsets
        set counted = counted + case partition when 0 then 1 else -1 end`,
    });
    const report = await auditReport(stack);
    assert.equal(report.code, 1);
    assert.equal(report.rows.wrong, 0);
    assert.equal(report.books.balance, true);
    assert.deepEqual(report.partitionDifferences.map(({ partition }) => partition), [0, 1]);
  },
);

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
    assert.deepEqual(untouched.rows, { agreeing: 3, wrong: 0, notProvable: 3 });
    assert.deepEqual(untouched.deadLetters, { agreeing: 3, wrong: 0, notProvable: 1 });
    assert.equal(untouched.provableAfter, new Date(hourAgo(4) + 120_099).toISOString());
    const { stdout } = await runProgram(["audit"], { env: stack.env });
    assert.match(stdout, /All that can be recounted agrees. 3 rows and 1 dead letters cannot be/);

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
      found.rowDifferences.map((
        { lotteryName, stored, recounted, isPartial },
      ) => [lotteryName, stored, recounted, isPartial]),
      [["early", 50, 60, true], ["later", 201, 200, false]],
    );

    await change("later", 1, "event_count - 1");
    await change("early", 0, "261"); // one too many, which no recount can tell
    const unbalanced = await auditReport(stack);
    assert.equal(unbalanced.code, 1);
    assert.equal(unbalanced.books.balance, false);
    assert.deepEqual(unbalanced.rowDifferences, []);

    await change("early", 0, "260");
    await connection.query({
      text: "delete from dead_letters where partition = 1 and reason = 'not_an_object'",
    });
    const letter = await auditReport(stack);
    assert.equal(letter.code, 1);
    assert.deepEqual(
      letter.deadLetterDifferences.map(({ partition, recounted }) => [partition, recounted]),
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
    assert.deepEqual(report.rows, { agreeing: 0, wrong: 0, notProvable: 3 });
    assert.equal(report.records, 15);

    await letTimePass(stack);
    await kcatProduce(stack.topic, events("later", 1));
    await countAll(stack);
    await deleteRecords(stack, new Map([[0, 30]]));
    assert.deepEqual((await auditReport(stack)).rows, { agreeing: 1, wrong: 0, notProvable: 3 });
  },
);

serverTest(
  "audit does not blame windows that a wrong clock counted into before the log began",
  ["kafka", "postgres"],
  async () => {
    await using stack = await openStack({ partitions: 1 });
    // Ahead of the clock by less than what makes it a dead letter, and by more than is noted.
    const ahead = eventsOf("ahead", { fromMs: Date.now() + 240_000, minutes: 1, perMinute: 10 });
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
    assert.deepEqual(report.rows, { agreeing: 0, wrong: 0, notProvable: 1 });
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
    await using admin = await openAdmin(stack.topic.brokers);
    await admin.alterConfigs({
      validateOnly: false,
      resources: [{
        type: ConfigResourceTypes.TOPIC,
        name: stack.topic.name,
        configEntries: [{ name: "cleanup.policy", value: "compact" }],
      }],
    });
    const report = await auditReport(stack);
    assert.equal(report.code, 3, JSON.stringify(report));
    assert.equal(report.rows.agreeing, 0);
    assert.equal(report.books.balance, true);
  },
);

serverTest("audit without a verdict exits 4", ["kafka", "postgres"], async () => {
  await using stack = await openStack();
  const exits4 = async (message: RegExp, changes: Readonly<Record<string, string>> = {}) => {
    const { code, stderr, stdout } = await runProgram(["audit"], {
      env: { ...stack.env, ...changes },
    });
    assert.equal(code, 4, stderr);
    assert.match(stderr, message);
    assert.equal(stdout, "");
  };
  await exits4(/Run `migrate` first/);
  assert.equal((await runProgram(["migrate"], { env: stack.env })).code, 0);
  await exits4(/nothing was counted into this database yet/);
  await countAll(stack);
  await exits4(/Cannot reach Kafka/, { KAFKA_BROKERS: `127.0.0.1:${freePort()}` });
  await exits4(/WINDOW_SECONDS is 300, but was 60/, { WINDOW_SECONDS: "300" });
});

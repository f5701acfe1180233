import assert from "node:assert/strict";
import { auditReport, countAll, eventsOf, hourAgo } from "../../support/audit_stand.ts";
import { makeLines } from "../../support/event_lines.ts";
import { eventually } from "../../support/eventually.ts";
import { Expectation } from "../../support/expectation.ts";
import { freePort } from "../../support/free_port.ts";
import { kcatProduce } from "../../support/kcat.ts";
import { serverTest } from "../../support/servers.ts";
import { openStack, recordsRead } from "../../support/stack.ts";
import { Program, runProgram } from "../../support/worker_process.ts";

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
        assert.equal(report.provable_after, null);
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
      report.row_differences.map((
        { lottery_name, stored, recounted },
      ) => [lottery_name, stored, recounted]).sort(),
      [
        ["changed", 107, 100],
        ["kept", 100, 100],
        ["mo\nved", 100, null],
        ["moved", null, 100],
        ["removed", null, 100],
      ],
    );
    assert.deepEqual(
      report.dead_letter_differences.map((
        { partition, stored, recounted },
      ) => [partition, stored, recounted]),
      [
        [0, "not_utf8", null],
        [1, null, "not_json"],
        [1, "not_json", "not_an_object"],
      ],
    );
    assert.equal(report.ledger.balance, false);

    const { code, stdout } = await runProgram(["audit", "--limit", "2"], { env });
    assert.equal(code, 1);
    assert.match(stdout, /changed +pay +107 +100$/m);
    assert.match(stdout, /^ {2}and 3 more/m);
    assert.match(
      (await runProgram(["audit"], { env })).stdout,
      /mo\\nved +pay +100 +– +should not exist$/m,
    );
    assert.match(stdout, /WRONG: the tables do not match the topic/);
  },
);

serverTest(
  "audit tells what is wrong in a partition's ledger though every row agrees",
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
    assert.equal(report.ledger.balance, true);
    assert.deepEqual(report.partition_differences.map(({ partition }) => partition), [0, 1]);
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
  await exits4(/nothing has been counted into this database yet/);
  await countAll(stack);
  await exits4(/Cannot reach Kafka/, { KAFKA_BROKERS: `127.0.0.1:${freePort()}` });
  await exits4(/WINDOW_SECONDS is 300, but was 60/, { WINDOW_SECONDS: "300" });
});

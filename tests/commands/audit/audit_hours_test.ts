import assert from "node:assert/strict";
import { auditReport, countAll, eventsOf, hourAgo } from "../../support/audit_stand.ts";
import { assertBooksBalance } from "../../support/expectation.ts";
import { kcatProduce } from "../../support/kcat.ts";
import { serverTest } from "../../support/servers.ts";
import { openStack, type TestStack } from "../../support/stack.ts";
import { runProgram } from "../../support/worker_process.ts";

/** Events of four lotteries in 90 minutes, so in two hours; ten a minute. */
async function countTwoHours(stack: TestStack): Promise<void> {
  for (const lottery of ["changed", "removed", "moved", "kept"]) {
    const lines = eventsOf(lottery, { fromMs: hourAgo(3), minutes: 90, perMinute: 10 });
    await kcatProduce(stack.topic, lines);
  }
  await countAll(stack);
}

const FIRST_HOUR = new Date(hourAgo(3)).toISOString();
const SECOND_HOUR = new Date(hourAgo(2)).toISOString();

serverTest(
  "audit names hours that are not the sum of their minutes, and rebuild_hours() makes them again",
  ["kafka", "postgres"],
  async () => {
    await using stack = await openStack({ partitions: 2 });
    const { database: { connection }, env } = stack;
    await countTwoHours(stack);
    const before = await auditReport(stack);
    assert.equal(before.verdict, "agrees");
    assert.deepEqual(before.hours, { agreeing: 8, wrong: 0, not_provable: 0 });
    assert.equal(before.ledger.hour_events, 3_600);

    await connection.query({
      text: `
        update lottery_hours set event_count = event_count + 7
        where lottery_name = 'changed' and hour_start = '${FIRST_HOUR}';
        delete from lottery_hours
        where lottery_name = 'removed' and hour_start = '${FIRST_HOUR}';
        update lottery_hours set lottery_name = E'mo\\nved'
        where lottery_name = 'moved' and hour_start = '${SECOND_HOUR}';
        update lottery_hours set hour_start = hour_start + interval '1 minute'
        where lottery_name = 'kept' and hour_start = '${SECOND_HOUR}'`,
    });
    const report = await auditReport(stack);
    assert.equal(report.code, 1);
    assert.equal(report.verdict, "wrong");
    assert.deepEqual(report.rows, { agreeing: 360, wrong: 0, not_provable: 0 });
    assert.deepEqual(report.hours, { agreeing: 4, wrong: 6, not_provable: 0 });
    assert.deepEqual(
      report.hour_differences.map((row) => [
        row.hour_start,
        row.lottery_name,
        row.event_type,
        row.stored,
        row.of_minutes,
      ]),
      [
        [FIRST_HOUR, "changed", "pay", 607, 600],
        [FIRST_HOUR, "removed", "pay", null, 600],
        [SECOND_HOUR, "kept", "pay", null, 300],
        [SECOND_HOUR, "mo\nved", "pay", 300, null],
        [SECOND_HOUR, "moved", "pay", null, 300],
        [new Date(hourAgo(2) + 60_000).toISOString(), "kept", "pay", 300, null],
      ],
    );
    assert.deepEqual(report.ledger_differences, [
      { sum: "events in hours", stored: 3_007, expected: 3_600 },
    ]);

    const { code, stdout } = await runProgram(["audit", "--limit", "4"], { env });
    assert.equal(code, 1);
    assert.match(stdout, /^hours +4 +6 +0$/m);
    assert.match(stdout, /^in the tables: 3,600 events and 0 dead letters$/m);
    assert.match(stdout, /^in the hours: 3,007 events: WRONG$/m);
    assert.match(stdout, /^ {2}events in hours +3,007 +3,600$/m);
    assert.match(stdout, /changed +pay +607 +600$/m);
    assert.match(stdout, /removed +pay +– +600 +missing$/m);
    assert.match(stdout, /mo\\nved +pay +300 +– +should not exist$/m);
    assert.match(stdout, /^ {2}and 2 more \(see --limit\)$/m);
    assert.match(stdout, /`call rebuild_hours\(\)`/);

    await connection.query({ text: "call rebuild_hours()" });
    const after = await auditReport(stack);
    assert.equal(after.code, 0, JSON.stringify(after));
    assert.deepEqual(after.hours, before.hours);
    await assertBooksBalance(connection);
  },
);

serverTest(
  "audit does not advise to rebuild hours from minutes that are wrong",
  ["kafka", "postgres"],
  async () => {
    await using stack = await openStack({ partitions: 2 });
    await countTwoHours(stack);
    await stack.database.connection.query({
      text: `
        update lottery_aggregates set event_count = event_count + 1
        where lottery_name = 'kept' and window_start = '${FIRST_HOUR}'`,
    });
    const { code, stdout } = await runProgram(["audit"], { env: stack.env });
    assert.equal(code, 1);
    assert.match(stdout, /^Wrong rows of counts:\n.*\n.* kept +pay +11 +10$/m);
    assert.match(stdout, /^Wrong hours:\n.*\n.* kept +pay +600 +601$/m);
    assert.match(stdout, /hours that differ from them may be right/);
    assert.doesNotMatch(stdout, /rebuild_hours/);
  },
);

serverTest(
  "audit agrees though minutes of an hour are deleted for their age, and knows by the ledger if such an hour is wrong",
  ["kafka", "postgres"],
  async () => {
    await using stack = await openStack({ partitions: 2 });
    const { database: { connection }, env } = stack;
    await countTwoHours(stack);
    // Half of the first hour, as one step of the retention.
    await connection.query({
      text: `
        with gone as (
          delete from lottery_aggregates
          where window_start < '${FIRST_HOUR}'::timestamptz + interval '30 minutes'
          returning event_count
        )
        update pipeline set
          aggregates_horizon = '${FIRST_HOUR}'::timestamptz + interval '30 minutes',
          deleted_events = (select sum(event_count) from gone)`,
    });
    const report = await auditReport(stack);
    assert.equal(report.code, 0, JSON.stringify(report));
    assert.equal(report.verdict, "agrees");
    assert.deepEqual(report.hours, { agreeing: 4, wrong: 0, not_provable: 4 });
    assert.match(
      (await runProgram(["audit"], { env })).stdout,
      /Hours that are not provable are those whose minutes are deleted: the ledger covers them\./,
    );

    const change = (by: number) =>
      connection.query({
        text: `
          update lottery_hours set event_count = event_count + ${by}
          where hour_start = '${FIRST_HOUR}' and lottery_name = 'kept'`,
      });
    await change(1);
    await connection.query({ text: "call rebuild_hours()" }); // cannot know
    const wrong = await auditReport(stack);
    assert.equal(wrong.code, 1);
    assert.equal(wrong.hours.wrong, 0);
    assert.deepEqual(wrong.ledger_differences.map(({ sum }) => sum), ["events in hours"]);
    await change(-1);
    assert.equal((await auditReport(stack)).code, 0);
  },
);

serverTest(
  "audit agrees while the hours of an older database are being filled, and names one that is wrong already",
  ["kafka", "postgres"],
  async () => {
    await using stack = await openStack({ partitions: 2 });
    const { database: { connection }, env } = stack;
    await countTwoHours(stack);
    // As migrations leave a database that had no hours.
    await connection.query({
      text: `
        truncate lottery_hours;
        update pipeline set hours_from = (select max(window_end) from lottery_aggregates)`,
    });
    for (let isFilled = false, steps = 0; !isFilled; steps++) {
      const report = await auditReport(stack);
      assert.equal(report.code, 0, JSON.stringify(report));
      assert.equal(report.ledger.hour_events + report.ledger.events_not_in_hours, 3_600);
      if (steps === 1) {
        await connection.query({
          text: "update lottery_hours set event_count = 1 where lottery_name = 'kept'",
        });
        assert.deepEqual(
          (await auditReport(stack)).hour_differences.map(({ lottery_name }) => lottery_name),
          ["kept"],
        );
        await connection.query({ text: "call rebuild_hours()" });
        assert.match(
          (await runProgram(["audit"], { env })).stdout,
          /workers have yet to put there/,
        );
      }
      const [row] = await connection.query<{ hours_from: Date | null }>({
        text: "select fill_hours(100) as hours_from",
      });
      isFilled = row!.hours_from === null;
    }
    assert.equal((await auditReport(stack)).code, 0);
    await assertBooksBalance(connection);
  },
);

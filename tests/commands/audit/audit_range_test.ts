import assert from "node:assert/strict";
import {
  type AuditAnswer,
  auditReport,
  countAll,
  deleteRecords,
  eventsOf,
  hourAgo,
} from "../../support/audit_stand.ts";
import { kcatProduce } from "../../support/kcat.ts";
import { serverTest } from "../../support/servers.ts";
import { openStack, type TestStack } from "../../support/stack.ts";
import { runProgram } from "../../support/worker_process.ts";

const SINCE = new Date(hourAgo(3)).toISOString();
/** Records of each of two batches, with their bad ones. */
const RECORDS = 22;

/** Old and new events of one partition, with a note of how far counting was between them. */
async function openTwice(): Promise<TestStack> {
  const stack = await openStack({ partitions: 1 });
  for (const [lottery, hours] of [["old", 6], ["new", 2]] as const) {
    const events = eventsOf(lottery, { fromMs: hourAgo(hours), minutes: 2, perMinute: 10 });
    await kcatProduce(stack.topic, [...events, "{bad", "[]"]);
    await countAll(stack);
    // Notes are ten minutes apart.
    await stack.database.connection.query({
      text: "update offset_history set at = at - interval '1 hour'",
    });
  }
  return stack;
}

/** What is done to a table, and what the report has to name. */
interface Sabotage {
  readonly sql: string;
  readonly undo: string;
  readonly isNamed: (report: AuditAnswer) => unknown;
}

const counts = (lottery: string, change: string): Sabotage => ({
  sql: `update lottery_aggregates set event_count = event_count + ${change}
    where lottery_name = '${lottery}' and window_start = date_trunc('hour', window_start)`,
  undo: `update lottery_aggregates set event_count = 10 where lottery_name = '${lottery}'`,
  isNamed: ({ row_differences: rows, hour_differences: hours }) =>
    hours[0]?.lottery_name === lottery && (lottery === "old" || rows[0]?.lottery_name === lottery),
});

const hour = (lottery: string): Sabotage => ({
  sql: `update lottery_hours set event_count = 21 where lottery_name = '${lottery}'`,
  undo: `update lottery_hours set event_count = 20 where lottery_name = '${lottery}'`,
  isNamed: ({ hour_differences: [first] }) => first?.lottery_name === lottery,
});

const end = (lottery: string): Sabotage => ({
  sql: `update lottery_aggregates set window_end = window_end + interval '1 s'
    where lottery_name = '${lottery}'`,
  undo: `update lottery_aggregates set window_end = window_end - interval '1 s'
    where lottery_name = '${lottery}'`,
  isNamed: ({ row_differences: rows }) =>
    rows.length === 2 && rows.every((row) => row.has_wrong_end && row.lottery_name === lottery),
});

const letterValue = (offset: number): Sabotage => ({
  sql: `update dead_letters set value = value || ' ' where kafka_offset = ${offset}`,
  undo: `update dead_letters set value = substr(value, 1, octet_length(value) - 1)
    where kafka_offset = ${offset}`,
  isNamed: ({ dead_letter_differences: [first] }) =>
    first?.offset === offset && /content changed/.test(first.stored!),
});

const letterGone = (offset: number): Sabotage => ({
  sql: `create table kept as select * from dead_letters where kafka_offset = ${offset};
    delete from dead_letters where kafka_offset = ${offset}`,
  undo: "insert into dead_letters select * from kept; drop table kept",
  isNamed: ({ dead_letter_differences: letters, ledger_differences: [sum] }) =>
    sum?.sum === "dead letters" && (offset < RECORDS || letters[0]?.offset === offset),
});

const letterAdded = (offset: number): Sabotage => ({
  sql: `insert into dead_letters (topic, partition, kafka_offset, reason, headers)
    select topic, partition, ${offset}, 'tombstone', '[]' from kafka_offsets`,
  undo: `delete from dead_letters where kafka_offset = ${offset}`,
  isNamed: ({ dead_letter_differences: letters, ledger_differences: [sum] }) =>
    sum?.sum === "dead letters" && (offset < RECORDS || letters[0]?.offset === offset),
});

const SABOTAGES: Readonly<Record<string, Sabotage>> = {
  "a row": counts("new", "1"),
  "an old row": counts("old", "-1"),
  "an hour": hour("new"),
  "an old hour": hour("old"),
  "the end of a window": end("new"),
  "the end of an old window": end("old"),
  "a letter's value": letterValue(RECORDS + 20),
  "an old letter's value": letterValue(20),
  "a letter that is gone": letterGone(RECORDS + 20),
  "an old letter that is gone": letterGone(20),
  "a letter too many": letterAdded(RECORDS + 5),
  "an old letter too many": letterAdded(5),
  "the counters": {
    sql: "update kafka_offsets set counted = counted + 1, dead = dead - 1",
    undo: "update kafka_offsets set counted = counted - 1, dead = dead + 1",
    isNamed: ({ partition_differences: [first] }) =>
      first?.from_offset === RECORDS && first.to_offset === 2 * RECORDS,
  },
  "the offset": {
    sql: "update kafka_offsets set next_offset = next_offset - 1",
    undo: "update kafka_offsets set next_offset = next_offset + 1",
    isNamed: ({ partition_differences: [first] }) => first?.to_offset === 2 * RECORDS - 1,
  },
  "the counters of the note where it begins": {
    sql: `update offset_history set counted = counted - 1 where next_offset = ${RECORDS}`,
    undo: `update offset_history set counted = counted + 1 where next_offset = ${RECORDS}`,
    isNamed: ({ partition_differences: [first] }) => first?.from_offset === RECORDS,
  },
  "the counters of an older note": {
    sql: "update offset_history set counted = counted + 1 where next_offset = 0",
    undo: "update offset_history set counted = counted - 1 where next_offset = 0",
    isNamed: ({ ledger_differences: [sum] }) =>
      sum?.sum === "records before offset 0 of partition 0",
  },
};

serverTest(
  "audit --since reads what is new, and finds what is changed there or before",
  ["kafka", "postgres"],
  async () => {
    await using stack = await openTwice();
    const { database: { connection }, env } = stack;

    const whole = await auditReport(stack);
    assert.deepEqual([whole.verdict, whole.from, whole.records], ["agrees", null, 2 * RECORDS]);
    const report = await auditReport(stack, "--since", SINCE);
    assert.equal(report.verdict, "agrees", JSON.stringify(report));
    assert.equal(report.from, SINCE);
    assert.equal(report.records, RECORDS);
    assert.deepEqual(report.rows, { agreeing: 2, wrong: 0, not_provable: 0 });
    assert.deepEqual(report.hours, { agreeing: 2, wrong: 0, not_provable: 0 });
    assert.deepEqual(report.dead_letters, { agreeing: 2, wrong: 0, not_provable: 0 });
    assert.equal(report.ledger.events, 40);

    const ago = await auditReport(stack, "--since", "150m");
    assert.equal(Date.parse(ago.from!) % 60_000, 0);
    assert.equal(ago.records, RECORDS);

    const { stdout } = await runProgram(["audit", "--since", SINCE], { env });
    assert.match(stdout, /^Recounted 22 records from Kafka\.$/m);
    assert.ok(stdout.includes(`${SINCE.slice(0, 10)} ${SINCE.slice(11, 19)}Z`), stdout);

    for (const [name, { sql, undo, isNamed }] of Object.entries(SABOTAGES)) {
      for (const text of sql.split(";")) await connection.query({ text });
      const report = await auditReport(stack, "--since", SINCE);
      assert.equal(report.code, 1, name);
      assert.equal(report.verdict, "wrong", name);
      assert.ok(isNamed(report), `${name}: ${JSON.stringify(report)}`);
      for (const text of undo.split(";")) await connection.query({ text });
    }
    assert.equal((await auditReport(stack, "--since", SINCE)).code, 0);
  },
);

serverTest(
  "audit --since knows late events, replays, windows that are ahead, and a log whose beginning is gone",
  ["kafka", "postgres"],
  async () => {
    await using stack = await openTwice();
    const { topic, database: { connection }, env } = stack;
    const late = eventsOf("old", { fromMs: hourAgo(6), minutes: 1, perMinute: 5 });
    await kcatProduce(topic, late);
    await countAll(stack);
    // An old letter is replayed into a window that is judged.
    const repair = ["lottery_name=new", "event_type=pay", `timestamp=${hourAgo(2)}`];
    const set = repair.flatMap((field) => ["--set", field]);
    const replay = await runProgram(["dead-letters", "replay", "0/20", ...set], { env });
    assert.equal(replay.code, 0, replay.stderr);
    const agrees = async () => {
      const report = await auditReport(stack, "--since", SINCE);
      assert.equal(report.code, 0, JSON.stringify(report));
      return report;
    };
    assert.equal((await agrees()).records, RECORDS + late.length);
    assert.equal((await agrees()).rows.agreeing, 2);

    // Of a window that was ahead of the clock, events may have come before: it has at least these.
    await connection.query({
      text: `insert into windows_ahead
        select min(window_start) from lottery_aggregates where lottery_name = 'new'`,
    });
    assert.equal((await agrees()).rows.agreeing, 1);
    await connection.query({ text: "delete from windows_ahead" });

    await deleteRecords(stack, new Map([[0, RECORDS]]));
    assert.equal((await agrees()).records, RECORDS + late.length);
    await deleteRecords(stack, new Map([[0, RECORDS + 5]]));
    const part = await auditReport(stack, "--since", SINCE);
    assert.equal(part.code, 3, JSON.stringify(part));
    assert.equal(part.rows.wrong, 0);
  },
);

serverTest(
  "audit --since judges the window that holds the time, even if it is a day",
  ["kafka", "postgres"],
  async () => {
    await using opened = await openStack({ partitions: 1 });
    const stack = { ...opened, env: { ...opened.env, WINDOW_SECONDS: "86400" } };
    const noon = Math.floor(hourAgo(48) / 86_400_000) * 86_400_000 + 12 * 3_600_000;
    const since = new Date(noon).toISOString();
    for (const lottery of ["one", "two"]) {
      await kcatProduce(
        stack.topic,
        eventsOf(lottery, { fromMs: noon - 3_600_000, minutes: 30, perMinute: 2 }),
      );
    }
    await countAll(stack);
    const agreed = await auditReport(stack, "--since", since);
    assert.equal(agreed.verdict, "agrees");
    assert.equal(agreed.from, new Date(noon - 12 * 3_600_000).toISOString());
    assert.equal(agreed.rows.agreeing, 2);

    // Moved from one lottery to the other, in rows and hours: all sums are as before.
    for (const table of ["lottery_aggregates", "lottery_hours"]) {
      await stack.database.connection.query({
        text: `update ${table}
          set event_count = event_count + case lottery_name when 'one' then 1 else -1 end`,
      });
    }
    assert.equal((await auditReport(stack, "--since", since)).rows.wrong, 2);
  },
);

serverTest("audit --since takes a time or how long ago it was", [], async () => {
  for (const wrong of ["6", "2026-01-31", "0h", "6 hours"]) {
    const { code, stderr } = await runProgram(["audit", "--since", wrong], { env: {} });
    assert.equal(code, 2, stderr);
    assert.match(stderr, /like 15m, 6h or 7d, or a time like 2026-01-31T12:00:00Z/);
  }
});

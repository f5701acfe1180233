import assert from "node:assert/strict";
import { eventually } from "../support/eventually.ts";
import { Expectation } from "../support/expectation.ts";
import { kcatProduce } from "../support/kcat.ts";
import { serverTest } from "../support/servers.ts";
import { openStack, recordsRead } from "../support/stack.ts";
import { Program, runProgram } from "../support/worker_process.ts";

const DAY_MS = 86_400_000;
const NOW = Date.now();

function event(lottery_name: string, timestamp: number): string {
  return JSON.stringify({ lottery_name, event_type: "pay", timestamp });
}

serverTest(
  "start deletes what is older than it may be, and an event for a deleted window is a dead letter",
  ["kafka", "postgres"],
  async () => {
    await using stack = await openStack({ partitions: 2 });
    const { topic, database, env } = stack;
    const [old, young] = [NOW - 3 * DAY_MS, NOW - DAY_MS];
    await using _first = await Program.start(["start"], { env });
    await kcatProduce(topic, [event("keno", old), event("keno", young), event("keno", NOW)]);
    await eventually(async () => await recordsRead(database).catch(() => 0) === 3);

    await database.connection.query({
      text: `
        insert into dead_letters (topic, partition, kafka_offset, reason, headers, received_at)
        select 'other', 0, age, 'not_json', '[]', now() - age * interval '1 day'
        from generate_series(6, 8, 2) as age`,
    });

    // Another worker begins to delete, while the first one knows of no horizon.
    await using second = await Program.start(["start"], {
      env: { ...env, AGGREGATES_RETENTION_DAYS: "2", DEAD_LETTERS_RETENTION_DAYS: "7" },
    });
    await second.printed(/Deleted 1 rows of counts older than 2 days/);
    await second.printed(/Deleted 1 rows of dead letters older than 7 days/);
    await kcatProduce(topic, [event("late", old), event("late", young)], { partition: 0 });
    await kcatProduce(topic, [event("late", old), event("late", young)], { partition: 1 });
    await eventually(async () => await recordsRead(database) === 7);

    const expected = new Expectation();
    expected.addDead("not_json");
    for (const time of [young, NOW]) expected.add("keno", "pay", time);
    for (const _ of [0, 1]) {
      expected.add("late", "pay", young);
      expected.addDead("expired_window");
    }
    await expected.assertStored(database.connection);

    // What is expired cannot come back by hand either.
    const { code, stdout } = await runProgram(
      ["dead-letters", "replay", "--reason", "expired_window"],
      { env },
    );
    assert.equal(code, 1);
    assert.match(stdout, /refused: expired_window/);
    await expected.assertStored(database.connection);
  },
);

serverTest(
  "start fills the hours of a database that had windows only, and counts meanwhile",
  ["kafka", "postgres"],
  async () => {
    await using stack = await openStack();
    const { topic, database: { connection }, env } = stack;
    {
      await using _first = await Program.start(["start"], { env });
      const claimed = () => connection.query({ text: "select from pipeline" }).catch(() => []);
      await eventually(async () => (await claimed()).length === 1);
    }
    // Ten days of two names a minute, as a version without hours has counted them.
    await connection.query({
      text: `
        insert into lottery_aggregates (window_start, window_end, lottery_name, event_type, event_count)
        select start, start + interval '1 minute', name, 'pay', 1 + extract(minute from start)
        from generate_series($1::timestamptz, $1 + interval '14399 minutes', '1 minute') as start,
          unnest(array['keno', 'mega_draw']) as name`,
      values: [new Date(Math.floor((NOW - 10 * DAY_MS) / 60_000) * 60_000)],
    });
    await connection.query({
      text: "update pipeline set hours_from = (select max(window_end) from lottery_aggregates)",
    });

    await using second = await Program.start(["start"], { env });
    await kcatProduce(topic, [event("keno", NOW - 9 * DAY_MS), event("keno", NOW)]);
    await second.printed(/The hours are filled/);
    await eventually(async () => await recordsRead(stack.database) === 2);

    const wrong = await connection.query({
      text: `
        select hour_start, lottery_name, hours.events, minutes.events
        from (
          select hour_start, lottery_name, event_count as events from lottery_hours
        ) hours
        full join (
          select
            date_trunc('hour', window_start) as hour_start, lottery_name, sum(event_count) as events
          from lottery_aggregates
          group by 1, 2
        ) minutes using (hour_start, lottery_name)
        where hours.events is distinct from minutes.events`,
    });
    assert.deepEqual(wrong, []);
    assert.deepEqual(
      await connection.query({ text: "select hours_from from pipeline" }),
      [{ hours_from: null }],
    );
  },
);

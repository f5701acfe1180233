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

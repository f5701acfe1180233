import assert from "node:assert/strict";
import { compareHours } from "../../../../../lib/io/postgres/queries/audit/hour_comparison.ts";
import { createDatabase } from "../../../../support/postgres.ts";
import { serverTest } from "../../../../support/servers.ts";
import { openPostgresHarness } from "../../harness.ts";

const START_MS = Date.UTC(2026, 0, 1);
const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;

serverTest(
  "compareHours() sums up earlier rows and finds those that end wrong, however they are cut into steps",
  ["postgres"],
  async () => {
    await using database = await createDatabase();
    await using harness = await openPostgresHarness(database.url);
    const { connection } = harness;
    // Six hours of two lotteries, twelve windows of five events in each; the first ones are deleted
    // for their age, and those before the fourth hour are not in the hours yet.
    await connection.query({
      text: `
        insert into lottery_aggregates
          (window_start, window_end, lottery_name, event_type, event_count)
        select window_start, window_start + interval '1 minute', 'lottery ' || lottery, 'pay', 5
        from
          generate_series(
            timestamptz '2026-01-01Z' + interval '30 min', '2026-01-01 05:59Z', interval '5 min'
          ) as window_start,
          generate_series(1, 2) as lottery;
        insert into lottery_hours
        select date_trunc('hour', window_start, 'UTC'), lottery_name, event_type, sum(event_count)
        from lottery_aggregates
        where window_start >= '2026-01-01 03:00Z'
        group by 1, 2, 3;
        update pipeline
        set aggregates_horizon = '2026-01-01 00:30Z', hours_from = '2026-01-01 03:00Z'`,
    });
    const compare = (stepRows: number, thanMs?: number, maxDifferences = 3) =>
      compareHours(connection, {
        ...{ maxDifferences, stepRows },
        earlier: thanMs === undefined ? undefined : { thanMs, windowMs: MINUTE_MS },
      });
    const hours = { agreeing: 6, wrong: 0, notProvable: 0 };
    for (const stepRows of [1, 5, 24, 1_000]) {
      assert.deepEqual(await compare(stepRows), {
        ...{ hours, differences: [] },
        earlier: { events: 0, eventsNotInHours: 0, wrongEnds: 0, differences: [] },
      });
      const { earlier, ...whole } = await compare(stepRows, START_MS + 4.5 * HOUR_MS);
      assert.deepEqual(whole, { hours, differences: [] });
      // Of 5.5 hours with 120 events each, 2.5 are not in the hours; the judged 1.5 are not summed up.
      assert.deepEqual(earlier, {
        ...{ events: 4 * 120, eventsNotInHours: 2.5 * 120, wrongEnds: 0, differences: [] },
      });
    }

    await connection.query({
      text: `
        update lottery_aggregates set window_end = window_end + interval '1 s'
        where extract(minute from window_start) = 30 and lottery_name = 'lottery 1'`,
    });
    for (const stepRows of [1, 1_000]) {
      const { earlier } = await compare(stepRows, START_MS + 4.5 * HOUR_MS);
      assert.equal(earlier.wrongEnds, 4);
      assert.deepEqual(
        earlier.differences.map((row) => row.windowStartMs),
        [0.5, 1.5, 2.5].map((hour) => START_MS + hour * HOUR_MS),
      );
      const all = (await compare(stepRows, START_MS + 4.5 * HOUR_MS, 9)).earlier.differences;
      assert.equal(all.length, 4);
      assert.deepEqual(earlier.differences[0], {
        windowStartMs: START_MS + 0.5 * HOUR_MS,
        lotteryName: "lottery 1",
        eventType: "pay",
        stored: 5,
        recounted: null,
        isPartial: false,
        hasWrongEnd: true,
      });
    }
  },
);

serverTest(
  "compareHours() blames no hour whose minutes are deleted for their age, whether in part or all",
  ["postgres"],
  async () => {
    await using database = await createDatabase();
    await using harness = await openPostgresHarness(database.url);
    const { connection } = harness;
    await connection.query({
      text: `
        insert into lottery_aggregates
          (window_start, window_end, lottery_name, event_type, event_count)
        select window_start, window_start + interval '1 minute', 'lottery', 'pay', 5
        from generate_series(
          timestamptz '2026-01-01 00:00Z', '2026-01-01 03:59Z', interval '5 min'
        ) as window_start;
        insert into lottery_hours
        select date_trunc('hour', window_start, 'UTC'), lottery_name, event_type, sum(event_count)
        from lottery_aggregates
        group by 1, 2, 3;
        delete from lottery_aggregates where window_start < '2026-01-01 01:30Z';
        update pipeline set aggregates_horizon = '2026-01-01 01:30Z'`,
    });
    for (const stepRows of [1, 1_000]) {
      for (const thanMs of [undefined, START_MS + 3 * HOUR_MS]) {
        const { hours, differences } = await compareHours(connection, {
          ...{ maxDifferences: 3, stepRows },
          earlier: thanMs === undefined ? undefined : { thanMs, windowMs: MINUTE_MS },
        });
        assert.deepEqual(hours, { agreeing: 2, wrong: 0, notProvable: 2 });
        assert.deepEqual(differences, []);
      }
    }
  },
);

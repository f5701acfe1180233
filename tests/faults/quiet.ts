/**
 * Four weeks as people live them, with nights, weekends, jackpots, a change of the clocks, the first
 * week, and a lottery that is new: no false alarm. Then one lottery stops.
 */

import assert from "node:assert/strict";
import type { QuietChange } from "../../lib/core/quiet.ts";
import { judgeQuiet } from "../../lib/io/postgres/quiet.ts";
import { openPostgresHarness } from "../io/postgres/harness.ts";
import { type DaysOptions, storeDays } from "../support/generated_days.ts";
import { createDatabase } from "../support/postgres.ts";
import { serverTest } from "../support/servers.ts";

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
const STEP_MS = 5 * MINUTE_MS;

const DAYS: readonly (DaysOptions & { readonly change: string })[] = [
  {
    change: "forward in Berlin",
    ...{ seed: 1, zone: "Europe/Berlin", startMs: Date.parse("2026-03-07T23:00Z") },
    ...{ days: 28, rate: 0.5, lotteries: 8 },
  },
  {
    change: "back in New York",
    ...{ seed: 2, zone: "America/New_York", startMs: Date.parse("2026-10-11T04:00Z") },
    ...{ days: 28, rate: 0.5, lotteries: 12 },
  },
];

interface Noticed {
  readonly atMs: number;
  readonly changes: readonly QuietChange[];
}

for (const { change, ...options } of DAYS) {
  serverTest(
    `in 28 days in which clocks go ${change}, the one lottery that stops is mailed`,
    ["postgres"],
    async () => {
      const { zone, startMs, days } = options;
      const endMs = startMs + days * DAY_MS;
      const lastDayMs = endMs - DAY_MS;
      const stopMs = lastDayMs + 19 * 60 * MINUTE_MS + 37 * MINUTE_MS;
      const newMs = startMs + 10 * DAY_MS + 500 * MINUTE_MS;
      const [stopped, fresh] = ["euro_spin", "golden_millions"];
      await using database = await createDatabase();
      await using harness = await openPostgresHarness(database.url);
      const { connection } = harness;
      const counts = await storeDays(connection, {
        ...options,
        has: (name, minuteMs) =>
          name === stopped ? minuteMs < stopMs : name !== fresh || minuteMs >= newMs,
      });
      assert.deepEqual(
        [counts.has(stopped), counts.has(fresh)],
        [true, true],
        [...counts.keys()].join(),
      );

      const noticed: Noticed[] = [];
      for (
        let closedMs = startMs + STEP_MS;
        closedMs <= endMs;
        closedMs += closedMs < lastDayMs ? STEP_MS : MINUTE_MS
      ) {
        await connection.query({
          text: "update pipeline set closed_up_to = $1",
          values: [new Date(closedMs)],
        });
        const changes = await judgeQuiet(connection, {
          ...{ types: ["clicked"], minutes: 15, share: 0.2, minExpected: 20, zone },
          maxDelayMs: 7 * MINUTE_MS,
          atMs: closedMs + 2 * MINUTE_MS,
        });
        if (changes.length > 0) noticed.push({ atMs: closedMs, changes });
      }

      assert.equal(noticed.length, 1, JSON.stringify(noticed));
      const [{ atMs, changes: [alarm, ...others] }] = noticed as [Noticed];
      assert.deepEqual(others, []);
      const { events, expected, ...what } = alarm!;
      assert.deepEqual(what, {
        change: "is quiet",
        lotteryName: stopped,
        eventType: "clicked",
        sinceMs: atMs - 15 * MINUTE_MS,
        weeks: 3,
      });
      // As soon as less than the share is left of what was expected; nothing is after 15 minutes.
      const late = (atMs - stopMs) / MINUTE_MS;
      assert.ok(late > 8 && late <= 15, `${late} minutes after it stopped`);
      const eventsUpTo = (toMs: number) =>
        Array.from(counts.get(stopped)!).reduce(
          (sum, [ms, count]) => ms >= toMs - 15 * MINUTE_MS && ms < toMs ? sum + count : sum,
          0,
        );
      assert.equal(events, eventsUpTo(atMs));
      assert.ok(events < 0.2 * expected && eventsUpTo(atMs - MINUTE_MS) > events);
    },
  );
}

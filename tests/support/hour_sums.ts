/**
 * Whether every hour is the sum of its minutes, worked out here and not by the database.
 * @module
 */

import assert from "node:assert/strict";
import type { Connection } from "../../lib/io/postgres/session/connection.ts";

const HOUR_MS = 3_600_000;

interface Named {
  readonly [column: string]: unknown;
  readonly lottery_name: string;
  readonly event_type: string;
  readonly event_count: number;
}

/**
 * Compares every hour with the sum of the windows that start in it. Hours that begin before a
 * window which is deleted for its age, or not in the hours yet, are left out.
 */
export async function assertHoursAreSums(connection: Connection): Promise<void> {
  await connection.transaction(async () => {
    await connection.query({ text: "set transaction isolation level repeatable read, read only" });
    const [pipeline] = await connection.query<{ horizon: Date | null; filled: Date | null }>({
      text: "select aggregates_horizon as horizon, hours_from as filled from pipeline",
    });
    const { horizon, filled } = pipeline!;
    const wholeFromMs = Math.max(horizon?.getTime() ?? -Infinity, filled?.getTime() ?? -Infinity);
    const windows = await connection.query<Named & { window_start: Date }>({
      text: "select window_start, lottery_name, event_type, event_count from lottery_aggregates",
    });
    const hours = await connection.query<Named & { hour_start: Date }>({
      text: "select hour_start, lottery_name, event_type, event_count from lottery_hours",
    });
    const surplus = new Map<string, number>();
    const add = (startMs: number, row: Named, count: number) => {
      if (startMs - startMs % HOUR_MS < wholeFromMs) return;
      const hour = new Date(startMs - startMs % HOUR_MS).toISOString();
      const key = JSON.stringify([hour, row.lottery_name, row.event_type]);
      surplus.set(key, (surplus.get(key) ?? 0) + count);
    };
    for (const row of windows) add(row.window_start.getTime(), row, -row.event_count);
    for (const row of hours) {
      assert.equal(row.hour_start.getTime() % HOUR_MS, 0, "an hour is whole");
      add(row.hour_start.getTime(), row, row.event_count);
    }
    const wrong = [...surplus].filter(([, events]) => events !== 0);
    assert.deepEqual(
      wrong.slice(0, 10),
      [],
      `${wrong.length} hours are not the sum of their minutes`,
    );
  });
}

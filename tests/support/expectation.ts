/**
 * What a database should hold, kept by the test that makes the records; and what it holds.
 * @module
 */

import assert from "node:assert/strict";
import type { Connection } from "../../lib/io/postgres/session/connection.ts";
import { assertHoursAreSums } from "./hour_sums.ts";

const MINUTE_MS = 60_000;

/** Counts as `window lottery type` → number, and dead letters as reason → number. */
export class Expectation {
  readonly counts = new Map<string, number>();
  readonly dead = new Map<string, number>();

  add(lotteryName: string, eventType: string, timestampMs: number): void {
    const key = rowKey(timestampMs - timestampMs % MINUTE_MS, lotteryName, eventType);
    this.counts.set(key, (this.counts.get(key) ?? 0) + 1);
  }

  addDead(reason: string): void {
    this.dead.set(reason, (this.dead.get(reason) ?? 0) + 1);
  }

  /** Compares every row. */
  async assertStored(connection: Connection): Promise<void> {
    const counts = await connection.query<
      { window_start: Date; lottery_name: string; event_type: string; event_count: number }
    >({ text: "select * from lottery_aggregates" });
    assertSame(
      new Map(counts.map((row) => [
        rowKey(row.window_start.getTime(), row.lottery_name, row.event_type),
        row.event_count,
      ])),
      this.counts,
    );
    const dead = await connection.query<{ reason: string; records: number }>({
      text: "select reason, count(*) as records from dead_letters group by reason",
    });
    assertSame(new Map(dead.map(({ reason, records }) => [reason, records])), this.dead);
  }
}

function rowKey(windowStartMs: number, lotteryName: string, eventType: string): string {
  return JSON.stringify([windowStartMs, lotteryName, eventType]);
}

function assertSame(actual: Map<string, number>, expected: Map<string, number>): void {
  const differences = [...new Set([...actual.keys(), ...expected.keys()])]
    .filter((key) => actual.get(key) !== expected.get(key))
    .map((key) => `${key}: ${actual.get(key)} instead of ${expected.get(key)}`);
  assert.deepEqual(differences.slice(0, 10), [], `${differences.length} rows differ`);
}

/** The books: records read are those counted, by the minute and by the hour, and those dead-lettered. */
export async function assertBooksBalance(connection: Connection): Promise<void> {
  const [row] = await connection.query<Record<string, number>>({
    text: `
      select
        coalesce(sum(counted), 0)::bigint as counted,
        coalesce(sum(dead), 0)::bigint as dead,
        (select coalesce(sum(event_count), 0)::bigint from lottery_aggregates) as events,
        (select coalesce(sum(event_count), 0)::bigint from lottery_hours) as hour_events,
        (select count(*) from dead_letters) as letters
      from kafka_offsets`,
  });
  assert.equal(row?.counted, row?.events, "counted records");
  assert.equal(row?.counted, row?.hour_events, "counted records by the hour");
  assert.equal(row?.dead, row?.letters, "dead letters");
  await assertHoursAreSums(connection);
}

/**
 * Events whose windows are all closed but for the last; and what consumers of the output
 * topic get, against every row of the closed windows.
 * @module
 */

import assert from "node:assert/strict";
import type { Connection } from "../../lib/io/postgres/session/connection.ts";
import { eventually } from "./eventually.ts";
import type { TestTopic } from "./kafka.ts";
import { type ConsumedRecord, kcatConsume, kcatProduce } from "./kcat.ts";

const MINUTE_MS = 60_000;
/** Start of a window that stays open. */
export const LAST_MS = Math.floor(Date.now() / MINUTE_MS) * MINUTE_MS;
const TYPES = ["clicked", "register", "pay"];
const LOTTERIES = 40;
const WINDOWS = 50;

/** One event for every lottery and type in each of the windows before the last one. */
export function eventLines(): string[] {
  return Array.from({ length: WINDOWS * LOTTERIES * TYPES.length }, (_, n) =>
    eventLine(
      LAST_MS - MINUTE_MS * (1 + n % WINDOWS),
      `lötto "${Math.floor(n / WINDOWS) % LOTTERIES}"`,
      TYPES[Math.floor(n / WINDOWS / LOTTERIES)]!,
    ));
}

/** An event as a producer sends it. */
export function eventLine(timestamp: number, lottery_name: string, event_type: string): string {
  return JSON.stringify({ lottery_name, event_type, timestamp });
}

/** Moves event time in the first two partitions, so that all windows before the last one are closed. */
export async function closeWindows(topic: TestTopic): Promise<void> {
  for (const partition of [0, 1]) {
    await kcatProduce(topic, [eventLine(LAST_MS, "closer", "pay")], { partition });
  }
}

interface Published {
  readonly version: number;
  readonly revision: number;
  readonly window_start: string;
  readonly window_end: string;
  readonly lottery_name: string;
  readonly event_type: string;
  readonly event_count: number;
}

/** Compares what consumers keep with every row of the closed windows. */
export async function assertPublished(
  connection: Connection,
  output: Pick<TestTopic, "brokers" | "name">,
): Promise<void> {
  const rows = await connection.query<Record<string, unknown>>({
    text: `
      select a.*
      from lottery_aggregates a join lottery_windows w using (window_start)
      where w.closed`,
  });
  // A transaction can be read a moment after its producer was told that it ended.
  await eventually(async () => assertKept(rows, await kcatConsume(output)), { timeoutMs: 30_000 });
}

function assertKept(
  rows: readonly Readonly<Record<string, unknown>>[],
  records: readonly ConsumedRecord[],
): void {
  const greatest = new Map<string, Published>();
  const last = new Map<string, Published>();
  for (const { key, value: text } of records) {
    if (text === "") { // there is no such count any more
      greatest.delete(key);
      last.delete(key);
      continue;
    }
    const value: Published = JSON.parse(text);
    last.set(key, value);
    if (value.revision > (greatest.get(key)?.revision ?? 0)) greatest.set(key, value);
  }
  // What compaction leaves, which is the last record of each key, is the same.
  assert.deepEqual(greatest, last);

  assert.equal(rows.length, greatest.size);
  for (const row of rows) {
    const start = (row.window_start as Date).toISOString();
    const { revision: _, ...value } = greatest.get(
      JSON.stringify([start, row.lottery_name, row.event_type]),
    )!;
    assert.deepEqual(value, {
      version: 1,
      window_start: start,
      window_end: (row.window_end as Date).toISOString(),
      lottery_name: row.lottery_name,
      event_type: row.event_type,
      event_count: row.event_count,
    });
  }
}

/** How much of the table has been handed to the publisher, and what of that waits. */
export async function publishing(
  connection: Connection,
): Promise<{ readonly rows: number; readonly waiting: number }> {
  const [row] = await connection.query<{ rows: number; waiting: number }>({
    text: `
      select
        (select count(*) from lottery_aggregates where window_start < p.outbox_up_to) as rows,
        (select count(*) from outbox) as waiting
      from pipeline p`,
  });
  return row ?? { rows: 0, waiting: 0 };
}

/** Resolves when some counts are acknowledged, and others wait. */
export async function inTheMiddle(connection: Connection): Promise<void> {
  await eventually(async () => {
    const { rows, waiting } = await publishing(connection);
    return waiting > 0 && waiting < rows;
  });
}

/** Resolves when so many rows are published. */
export async function allPublished(connection: Connection, expectedRows: number): Promise<void> {
  await eventually(async () => {
    const { rows, waiting } = await publishing(connection);
    return rows === expectedRows && waiting === 0;
  });
}

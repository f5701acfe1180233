/**
 * What is read from the database, by the page and by `--once`.
 * @module
 */

import type { WindowCount } from "../../core/window.ts";
import type { Connection } from "./connection.ts";
import { isMigrated } from "./migrate.ts";

/** Counts of the newest windows, newest and greatest first, at most `limit` rows. */
export async function recentCounts(connection: Connection, limit: number): Promise<WindowCount[]> {
  if (!await isMigrated(connection)) return [];
  const rows = await connection.query<
    { window_start: Date; lottery_name: string; event_type: string; event_count: number }
  >({
    text: `
      select window_start, lottery_name, event_type, event_count
      from lottery_aggregates
      order by window_start desc, event_count desc, lottery_name, event_type
      limit $1`,
    values: [limit],
  });
  return rows.map((row) => ({
    windowStartMs: row.window_start.getTime(),
    lotteryName: row.lottery_name,
    eventType: row.event_type,
    count: row.event_count,
  }));
}

/** Dead letters of the last minute, by reason. */
export async function recentDeadLetters(
  connection: Connection,
): Promise<{ readonly reason: string; readonly records: number }[]> {
  return await connection.query<{ reason: string; records: number }>({
    text: `
      select reason, count(*) as records
      from dead_letters
      where received_at > now() - interval '1 minute'
      group by reason
      order by records desc`,
  });
}

/** Stored next offset of each partition that has one. */
export async function storedOffsets(
  connection: Connection,
  topic: string,
): Promise<ReadonlyMap<number, number>> {
  const rows = await connection.query<{ partition: number; next_offset: number }>({
    text: "select partition, next_offset from kafka_offsets where topic = $1",
    values: [topic],
  });
  return new Map(rows.map(({ partition, next_offset }) => [partition, next_offset]));
}

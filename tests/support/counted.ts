/**
 * Counts put straight into a migrated database, for tests of what is read from it.
 */

import type { WindowCount } from "../../lib/core/windowing/window.ts";
import type { Connection } from "../../lib/io/postgres/session/connection.ts";

export async function storeCounts(
  connection: Connection,
  counts: readonly WindowCount[],
): Promise<void> {
  await connection.query({
    text: `
      with counts as (
        select *
        from unnest($1::timestamptz[], $2::text[], $3::text[], $4::bigint[])
          as counts (start, lottery_name, event_type, event_count)
      ),
      hours as (
        insert into lottery_hours (hour_start, lottery_name, event_type, event_count)
        select date_trunc('hour', start, 'UTC'), lottery_name, event_type, sum(event_count)
        from counts
        group by 1, lottery_name, event_type
      )
      insert into lottery_aggregates
        (window_start, window_end, lottery_name, event_type, event_count)
      select
        start, start + (select make_interval(secs => window_seconds) from pipeline),
        lottery_name, event_type, event_count
      from counts`,
    values: [
      counts.map(({ windowStartMs }) => new Date(windowStartMs)),
      counts.map(({ lotteryName }) => lotteryName),
      counts.map(({ eventType }) => eventType),
      counts.map(({ count }) => count),
    ],
  });
}

/** Says up to where event time is, and which windows are closed. */
export async function setEventTime(
  connection: Connection,
  { watermarkMs, closedUpToMs }: { readonly watermarkMs: number; readonly closedUpToMs: number },
): Promise<void> {
  await connection.query({
    text: "update pipeline set watermark = $1, closed_up_to = $2",
    values: [new Date(watermarkMs), new Date(closedUpToMs)],
  });
}

/**
 * Many minutes of counts put straight into a migrated database, with their hours.
 * @module
 */

import type { Connection } from "../../lib/io/postgres/session/connection.ts";

export interface Minutes {
  readonly from: string;
  readonly to: string;
  readonly lotteryName?: string;
  readonly eventType?: string;
  /** Events of each minute: an SQL expression of its start, `minute`. */
  readonly events: string;
}

export async function storeMinutes(
  connection: Connection,
  { from, to, lotteryName = "keno", eventType = "pay", events }: Minutes,
): Promise<void> {
  await connection.query({
    text: `
      with minutes as (
        select minute, (${events})::bigint as events
        from generate_series($1::timestamptz, $2::timestamptz - interval '1 minute', '1 minute') minute
      ),
      hours as (
        insert into lottery_hours as h (hour_start, lottery_name, event_type, event_count)
        select date_trunc('hour', minute, 'UTC'), $3, $4, sum(events)
        from minutes
        where events > 0
        group by 1
        on conflict (hour_start, lottery_name, event_type) do update
          set event_count = h.event_count + excluded.event_count
      )
      insert into lottery_aggregates as a
        (window_start, window_end, lottery_name, event_type, event_count)
      select minute, minute + interval '1 minute', $3, $4, events
      from minutes
      where events > 0
      on conflict (window_start, lottery_name, event_type) do update
        set event_count = a.event_count + excluded.event_count`,
    values: [from, to, lotteryName, eventType],
  });
}

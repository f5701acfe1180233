/**
 * Whether the hours hold what was counted.
 * @module
 */

import type { Connection } from "../../session/connection.ts";

/**
 * Events that were counted, by the ledger, and are not in the hours; below 0 if the hours have more.
 * One statement, and so one moment: whatever commits, replays or expires meanwhile is in both or in
 * neither. Null before anything was counted, and while the hours of an older database are filled.
 *
 * It reads all hours: the caller says how often.
 */
export async function readBooksDifference(connection: Connection): Promise<number | null> {
  const [row] = await connection.query<{ difference: number | null }>({
    text: `
      select case
        when hours_from is null then (
          (select sum(counted) from kafka_offsets)
          + replayed_letters
          - deleted_hour_events
          - (select coalesce(sum(event_count), 0) from lottery_hours)
        )::bigint
      end as difference
      from pipeline`,
  });
  return row?.difference ?? null;
}

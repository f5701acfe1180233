/**
 * Which lotteries are quiet, as the database judges it for all workers.
 * @module
 */

import type { QuietChange } from "../../core/quiet.ts";
import type { Connection, Row } from "./session/connection.ts";

export interface QuietOptions {
  /** Event types that are judged. */
  readonly types: readonly string[];
  /** How much of the time that was closed last is judged; rounded up to whole windows. */
  readonly minutes: number;
  /** With less than this share of what is expected, a lottery and type is quiet. */
  readonly share: number;
  /** Fewer expected events say nothing. */
  readonly minExpected: number;
  /** Whose weekdays and clocks count, by its IANA name. */
  readonly zone: string;
  /** Older windows are not judged: then the pipeline is behind. */
  readonly maxDelayMs: number;
  /** Other than the database's clock says. */
  readonly atMs?: number;
}

/** Judges once. @returns what has changed; each change is returned to one caller only. */
export async function judgeQuiet(
  connection: Connection,
  { types, minutes, share, minExpected, zone, maxDelayMs, atMs }: QuietOptions,
): Promise<QuietChange[]> {
  const rows = await connection.query<
    Row & {
      readonly change: QuietChange["change"];
      readonly lottery_name: string | null;
      readonly event_type: string | null;
      readonly quiet_since: Date;
      readonly event_count: number | null;
      readonly expected_count: number | null;
      readonly weeks: number | null;
    }
  >({
    text: `
      select *
      from judge_quiet(
        $1, $2, $3, $4, $5, $6::bigint * interval '1 ms',
        coalesce(to_timestamp($7::bigint / 1000.0), now())
      )`,
    values: [types, minutes, share, minExpected, zone, maxDelayMs, atMs ?? null],
  });
  return rows.map((row) => ({
    change: row.change,
    lotteryName: row.lottery_name ?? "",
    eventType: row.event_type ?? "",
    sinceMs: row.quiet_since.getTime(),
    events: row.event_count ?? 0,
    expected: row.expected_count ?? 0,
    weeks: row.weeks ?? 0,
  }));
}

/** Forgets which are quiet, and that event time stands still: nothing judges them. */
export async function forgetQuiet(connection: Connection): Promise<void> {
  await connection.query({
    text: `
      with forgotten as (delete from quiet_lotteries)
      update alerts set repeats = 0 where cause = 'event_time_stands_still'`,
  });
}

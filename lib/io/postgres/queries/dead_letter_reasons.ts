/**
 * Dead letters by reason over time.
 * @module
 */

import type { DeadLetterStatus } from "../../../core/views/status.ts";
import { isMigrated } from "../schema/migrate.ts";
import type { Connection, Row } from "../session/connection.ts";

/** Which letters are counted: those received in the bars that `[fromMs, toMs)` touches, whole ones. */
export interface ReasonsQuery {
  readonly fromMs: number;
  readonly toMs: number;
  /** Length of a bar; a day is 86,400. */
  readonly stepSeconds: number;
  /** Whose calendar days and weeks follow, by its IANA name. */
  readonly zone: string;
}

export interface ReasonsBar {
  readonly startMs: number;
  readonly endMs: number;
  /** Letters by reason; none without letters. */
  readonly reasons: ReadonlyMap<string, number>;
}

export interface Reasons {
  /** Without a gap, the oldest first. */
  readonly bars: readonly ReasonsBar[];
  /** Of all bars, the most frequent first. */
  readonly totals: readonly DeadLetterStatus[];
}

export async function readReasons(
  connection: Connection,
  { fromMs, toMs, stepSeconds, zone }: ReasonsQuery,
): Promise<Reasons> {
  if (!await isMigrated(connection)) return { bars: [], totals: [] };
  const rows = await connection.query<
    Row & {
      readonly bar_start: Date;
      readonly bar_end: Date;
      readonly reason: string | null;
      readonly records: number;
      readonly replayed: number;
    }
  >({ text: REASONS, values: [new Date(fromMs), new Date(toMs), stepSeconds, zone] });
  const bars = Map.groupBy(rows, (row) => row.bar_start.getTime());
  return {
    bars: Array.from(bars, ([startMs, all]) => ({
      startMs,
      endMs: all[0]!.bar_end.getTime(),
      reasons: new Map(
        all.flatMap(({ reason, records }) => reason === null ? [] : [[reason, records]]),
      ),
    })),
    totals: totalsOf(rows),
  };
}

function totalsOf(
  rows: readonly { readonly reason: string | null; records: number; replayed: number }[],
): DeadLetterStatus[] {
  return Array.from(
    Map.groupBy(rows.filter(({ reason }) => reason !== null), ({ reason }) => reason!),
    ([reason, all]) => ({
      reason,
      records: all.reduce((sum, { records }) => sum + records, 0),
      replayed: all.reduce((sum, { replayed }) => sum + replayed, 0),
    }),
  ).sort((a, b) => b.records - a.records || (a.reason < b.reason ? -1 : 1));
}

/** Bars shorter than a day begin at midnight of UTC, others follow the calendar; weeks begin on Monday. */
const REASONS = `
  select bar_start, bar_end, reason, coalesce(records, 0) as records, coalesce(replayed, 0) as replayed
  from (
    select
      local_start at time zone calendar as bar_start,
      (local_start + step) at time zone calendar as bar_end
    from (
      select
        make_interval(secs => $3::integer) as step,
        case when $3::integer < 86400 then 'UTC' else $4::text end as calendar
    ) sizes
    cross join generate_series(
      date_bin(step, $1::timestamptz at time zone calendar, '2001-01-01'), -- a Monday
      $2::timestamptz at time zone calendar - interval '1 microsecond',
      step
    ) as local_start
  ) bars
  left join lateral (
    select reason, count(*) as records, count(replayed_at) as replayed
    from dead_letters
    where received_at >= bar_start and received_at < bar_end
    group by reason
  ) counts on true
  order by bar_start, records desc, reason`;

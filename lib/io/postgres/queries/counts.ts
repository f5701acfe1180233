/**
 * Rows of counts, and the names in them. Each answer is bounded, and found through an index.
 * @module
 */

import type { WindowCount } from "../../../core/windowing/window.ts";
import { isMigrated } from "../schema/migrate.ts";
import type { Connection, Row } from "../session/connection.ts";

/** Which counts are asked for: those of the windows that start in `[fromMs, toMs)`. */
export interface CountsQuery {
  readonly fromMs: number;
  readonly toMs: number;
  readonly lotteryName: string | null;
  readonly limit: number;
}

/** A row of counts, and whether its window is closed. */
export interface CountRow extends WindowCount {
  readonly windowEndMs: number;
  readonly isClosed: boolean;
}

/** Ordered by window, lottery and type; the oldest windows first. */
export async function readCounts(
  connection: Connection,
  { fromMs, toMs, lotteryName, limit }: CountsQuery,
): Promise<CountRow[]> {
  if (!await isMigrated(connection)) return [];
  const values = [new Date(fromMs), new Date(toMs), limit];
  const rows = await connection.query<
    Row & {
      readonly window_start: Date;
      readonly window_end: Date;
      readonly lottery_name: string;
      readonly event_type: string;
      readonly event_count: number;
      readonly is_closed: boolean;
    }
  >(
    lotteryName === null
      ? { text: COUNTS, values }
      : { text: COUNTS_OF_LOTTERY, values: [...values, lotteryName] },
  );
  return rows.map((row) => ({
    windowStartMs: row.window_start.getTime(),
    windowEndMs: row.window_end.getTime(),
    lotteryName: row.lottery_name,
    eventType: row.event_type,
    count: row.event_count,
    isClosed: row.is_closed,
  }));
}

const COLUMNS = `
  window_start, window_end, lottery_name, event_type, event_count,
  coalesce(window_end <= pipeline.closed_up_to, false) as is_closed`;

const COUNTS = `
  select ${COLUMNS}
  from lottery_aggregates cross join pipeline
  where window_start >= $1 and window_start < $2
  order by window_start, lottery_name, event_type
  limit $3`;

/** One index scan for each window, because a lottery's rows are not adjacent. */
const COUNTS_OF_LOTTERY = `
  select ${COLUMNS}
  from pipeline
  cross join generate_series(
    to_timestamp(ceil(extract(epoch from $1::timestamptz) / window_seconds) * window_seconds),
    $2::timestamptz - interval '1 microsecond',
    make_interval(secs => window_seconds)
  ) as starts (start)
  cross join lateral (
    select * from lottery_aggregates where window_start = start and lottery_name = $4
  ) counts
  order by window_start, event_type
  limit $3`;

export interface LotterySearch {
  /** What they contain, in whatever case; all of them if it is empty. */
  readonly text: string;
  readonly limit: number;
}

/** The newest rows of counts that are searched: no index has all names. */
const SEARCHED_COUNTS = 100_000;

/**
 * Names of lotteries that contain a text: the one that is called so first, then those that begin
 * with it, the busiest first.
 */
export async function searchLotteries(
  connection: Connection,
  { text, limit }: LotterySearch,
): Promise<string[]> {
  if (!await isMigrated(connection)) return [];
  const rows = await connection.query<Row & { readonly lottery_name: string }>({
    text: `
      with recent as materialized (
        select lottery_name, event_count
        from lottery_aggregates
        order by window_start desc, lottery_name desc, event_type desc
        limit $3
      )
      select lottery_name
      from recent
      where strpos(lower(lottery_name), lower($1)) > 0
      group by lottery_name
      order by
        lottery_name = $1 desc,
        strpos(lower(lottery_name), lower($1)) = 1 desc,
        sum(event_count) desc,
        lottery_name
      limit $2`,
    values: [text, limit, SEARCHED_COUNTS],
  });
  return rows.map(({ lottery_name }) => lottery_name);
}

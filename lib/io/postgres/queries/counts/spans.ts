/**
 * The statements that a page of counts is read by. Each goes by a key.
 * @module
 */

import type { Connection, Row } from "../../session/connection.ts";
import { type BucketState, sourceOf } from "./bucket_state.ts";
import type { CountKey, CountRow, CountsQuery } from "./query.ts";

/**
 * The first hour of a range, with the one that its start is in, in which any of the lotteries was
 * counted, of all if none is given; null if there is none.
 */
export async function nextCountedHour(
  connection: Connection,
  lotteryNames: readonly string[],
  { fromMs, toMs }: { readonly fromMs: number; readonly toMs: number },
): Promise<number | null> {
  const [row] = await connection.query<{ counted: Date | null }>({
    text: `
      select least(
        ${lotteryNames.length === 0 ? NEXT_HOUR : NEXT_HOUR_OF_LOTTERIES},
        -- Older windows are not in the hours yet.
        (
          select date_trunc('hour', window_start)
          from lottery_aggregates
          where window_start >= $1 and window_start < $2 and window_start < hours_from
          order by window_start
          limit 1
        )
      ) as counted
      from pipeline`,
    values: [
      new Date(fromMs),
      new Date(toMs),
      ...lotteryNames.length === 0 ? [] : [lotteryNames],
    ],
  });
  return row?.counted?.getTime() ?? null;
}

const NEXT_HOUR = `
  (
    select hour_start
    from lottery_hours
    where hour_start >= date_trunc('hour', $1::timestamptz) and hour_start < $2::timestamptz
    order by hour_start
    limit 1
  )`;

const NEXT_HOUR_OF_LOTTERIES = `
  (
    select min(hour_start)
    from unnest($3::text[]) as chosen (name)
    cross join lateral (
      select hour_start
      from lottery_hours
      where lottery_name = name
        and hour_start >= date_trunc('hour', $1::timestamptz) and hour_start < $2::timestamptz
      order by hour_start
      limit 1
    ) hours
  )`;

export interface CountSpan {
  readonly state: BucketState;
  readonly after: CountKey;
  readonly toMs: number;
  readonly limit: number;
}

/** Rows after a key whose buckets start before the end, in their order. */
export async function readSpan(
  connection: Connection,
  query: CountsQuery,
  { state, after, toMs, limit }: CountSpan,
): Promise<CountRow[]> {
  const { stepSeconds, zone, lotteryNames, eventTypes } = query;
  const values: unknown[] = [
    new Date(after.startMs),
    new Date(toMs),
    after.lotteryName,
    after.eventType,
    limit,
  ];
  const parameter = (value: unknown) => `$${values.push(value)}`;
  const conditions = [
    lotteryNames.length === 0 ? "" : `and lottery_name = any (${parameter(lotteryNames)}::text[])`,
    eventTypes.length === 0 ? "" : `and event_type = any (${parameter(eventTypes)}::text[])`,
  ].join(" ");
  const from = {
    windows: () => lotteryNames.length === 0 ? WINDOWS : windowsOf(conditions),
    hours: () => hoursOf(parameter(stepSeconds)),
    both: () => {
      const step = `make_interval(secs => ${parameter(stepSeconds)})`;
      return `lottery_counts($1, $2, ${step}, ${parameter(zone)})`;
    },
  }[sourceOf(query, state, after.startMs)]();
  const rows = await connection.query<
    Row & {
      readonly start_seconds: number;
      readonly end_seconds: number;
      readonly lottery_name: string;
      readonly event_type: string;
      readonly event_count: number;
    }
  >({
    // Numbers, because the driver would take twice as long for times.
    text: `
      select
        extract(epoch from bucket_start)::float8 as start_seconds,
        extract(epoch from bucket_end)::float8 as end_seconds,
        lottery_name, event_type, event_count
      from ${from} counts
      where (bucket_start, lottery_name, event_type) > ($1::timestamptz, $3::text, $4::text)
        and bucket_start < $2::timestamptz ${conditions}
      order by bucket_start, lottery_name, event_type
      limit $5`,
    values,
  });
  return rows.map((row) => ({
    startMs: row.start_seconds * 1000,
    endMs: row.end_seconds * 1000,
    lotteryName: row.lottery_name,
    eventType: row.event_type,
    count: row.event_count,
    isClosed: row.end_seconds * 1000 <= state.closedUpToMs,
  }));
}

const COLUMNS = `
  window_start as bucket_start, window_end as bucket_end, lottery_name, event_type, event_count`;

const WINDOWS = `(select ${COLUMNS} from lottery_aggregates)`;

function hoursOf(stepSeconds: string): string {
  return `(
    select
      hour_start as bucket_start,
      hour_start + make_interval(secs => ${stepSeconds}) as bucket_end,
      lottery_name, event_type, event_count
    from lottery_hours
  )`;
}

/** One search in the index for each window, because a lottery's rows are not adjacent. */
function windowsOf(conditions: string): string {
  return `(
    select ${COLUMNS}
    from pipeline
    cross join generate_series(
      to_timestamp(ceil(extract(epoch from $1::timestamptz) / window_seconds) * window_seconds),
      $2::timestamptz - interval '1 microsecond',
      make_interval(secs => window_seconds)
    ) as starts (start)
    cross join lateral (
      select * from lottery_aggregates where window_start = start ${conditions}
      offset 0 -- no join, for which the whole table might be scanned
    ) windows
  )`;
}

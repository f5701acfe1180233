/**
 * Compares every hour with the sum of its minutes, in the database.
 * @module
 */

import type { EarlierRows } from "../../../../core/audit/audit.ts";
import type { HourAudit, HourDifference } from "../../../../core/audit/hour_audit.ts";
import type { RowDifference } from "../../../../core/audit/row_audit.ts";
import type { Row } from "../../session/connection.ts";
import type { Reader } from "./paged.ts";

/** A longer statement would hold up a demo, whose database runs on the thread of all else. */
const STEP_ROWS = 20_000;

interface StepRow extends Row {
  readonly agreeing: number;
  readonly wrong: number;
  /** Of earlier rows. */
  readonly events: number;
  readonly not_in_hours: number;
  readonly wrong_ends: number;
  /** Where the next step begins, as text; 'infinity' after the last one. */
  readonly step_end: string;
  /** Null without any that is wrong. */
  readonly hour_start: Date | null;
  readonly lottery_name: string;
  readonly event_type: string;
  readonly stored: number | null;
  readonly of_minutes: number | null;
}

export interface HourComparisonOptions {
  /** How many are named at most, of each kind. */
  readonly maxDifferences: number;
  /** Rows of counts that a step reads, and an hour more. */
  readonly stepRows?: number;
  /** Rows of windows that start before `thanMs` are also summed up, and their ends checked. */
  readonly earlier?: { readonly thanMs: number; readonly windowMs: number } | undefined;
}

/**
 * Both ways, but only hours of which no window is deleted for its age. While an older database is
 * being filled, windows that are not in the hours yet count as none. In steps, within a transaction.
 */
export async function compareHours(
  connection: Reader,
  { maxDifferences, stepRows = STEP_ROWS, earlier }: HourComparisonOptions,
): Promise<HourAudit & { readonly earlier: EarlierRows }> {
  const [bounds] = await connection.query<{ first_hour: string; not_provable: number }>({
    text: `
      select
        first_hour::text,
        (select count(*) from lottery_hours where hour_start < first_hour) as not_provable
      from pipeline, coalesce(next_hour(aggregates_horizon), '-infinity') as first_hour`,
  });
  const { first_hour: firstHour, not_provable: notProvable } = bounds!;
  let [agreeing, wrong, events, eventsNotInHours, wrongEnds] = [0, 0, 0, 0, 0];
  const differences: HourDifference[] = [];
  let rowDifferences: readonly RowDifference[] = [];
  // Rows before the first hour are in no comparison.
  for (let from = earlier ? "-infinity" : firstHour; from !== "infinity";) {
    const limit = maxDifferences - differences.length;
    const rows = await compareStep(connection, { from, firstHour, stepRows, limit, earlier });
    const { step_end: to, ...tallies } = rows[0]!;
    for (const row of rows) if (row.hour_start !== null) differences.push(toDifference(row));
    agreeing += tallies.agreeing;
    wrong += tallies.wrong;
    events += tallies.events;
    eventsNotInHours += tallies.not_in_hours;
    wrongEnds += tallies.wrong_ends;
    if (earlier && tallies.wrong_ends > 0) {
      const limit = maxDifferences - rowDifferences.length;
      const found = await wrongEndsOf(connection, { from, to, limit, ...earlier });
      rowDifferences = [...rowDifferences, ...found];
    }
    from = to;
  }
  return {
    hours: { agreeing, wrong, notProvable },
    differences,
    earlier: { events, eventsNotInHours, wrongEnds, differences: rowDifferences },
  };
}

/** At least one row, with the tallies; each of the `limit` first that differ has its own. */
async function compareStep(
  connection: Reader,
  { from, firstHour, stepRows, limit, earlier }: {
    readonly from: string;
    readonly firstHour: string;
    readonly stepRows: number;
    readonly limit: number;
    readonly earlier: HourComparisonOptions["earlier"];
  },
): Promise<StepRow[]> {
  return await connection.query<StepRow>({
    text: `
      with step as materialized (
        select
          coalesce(
            (
              select date_trunc('hour', window_start, 'UTC') + interval '1 hour'
              from lottery_aggregates
              where window_start >= $1::timestamptz
              order by window_start
              offset $2 limit 1
            ),
            'infinity'
          ) as step_end,
          coalesce(hours_from, '-infinity') as hours_from,
          coalesce(ms_to_time($5), '-infinity') as earlier_than
        from pipeline
      ),
      stored as (
        select hour_start, lottery_name, event_type, event_count as stored
        from lottery_hours
        where hour_start >= greatest($1::timestamptz, $4::timestamptz)
          and hour_start < (select step_end from step)
      ),
      sums as materialized (
        select
          date_trunc('hour', window_start, 'UTC') as hour_start, lottery_name, event_type,
          sum(event_count) filter (where window_start >= (select hours_from from step))::bigint
            as of_minutes,
          sum(event_count) filter (where window_start < (select earlier_than from step)) as events,
          sum(event_count) filter (
            where window_start < (select least(earlier_than, hours_from) from step)
          ) as not_in_hours,
          count(*) filter (
            where window_end <> window_start + $6 * interval '1 ms'
              and window_start < (select earlier_than from step)
          ) as wrong_ends
        from lottery_aggregates
        where window_start >= $1::timestamptz and window_start < (select step_end from step)
        group by 1, lottery_name, event_type
      ),
      compared as materialized (
        select hour_start, lottery_name, event_type, stored, of_minutes
        from stored
        full join (
          select hour_start, lottery_name, event_type, of_minutes
          from sums
          where of_minutes is not null and hour_start >= $4::timestamptz
        ) made using (hour_start, lottery_name, event_type)
      ),
      tallies as (
        select
          count(*) filter (where stored = of_minutes) as agreeing,
          count(*) filter (where stored is distinct from of_minutes) as wrong
        from compared
      ),
      earlier as (
        select
          coalesce(sum(events), 0)::bigint as events,
          coalesce(sum(not_in_hours), 0)::bigint as not_in_hours,
          coalesce(sum(wrong_ends), 0)::bigint as wrong_ends
        from sums
      ),
      differing as (
        select *
        from compared
        where stored is distinct from of_minutes
        order by hour_start, lottery_name, event_type
        limit $3
      )
      select agreeing, wrong, events, not_in_hours, wrong_ends, step_end::text, differing.*
      from step cross join tallies cross join earlier left join differing on true
      order by hour_start, lottery_name, event_type`,
    values: [from, stepRows, limit, firstHour, earlier?.thanMs, earlier?.windowMs],
  });
}

/** Earlier rows of a step that end elsewhere than their windows. */
async function wrongEndsOf(
  connection: Reader,
  { from, to, limit, thanMs, windowMs }: {
    readonly from: string;
    readonly to: string;
    readonly limit: number;
    readonly thanMs: number;
    readonly windowMs: number;
  },
): Promise<RowDifference[]> {
  const rows = await connection.query<{
    window_start: Date;
    lottery_name: string;
    event_type: string;
    event_count: number;
  }>({
    text: `
      select window_start, lottery_name, event_type, event_count
      from lottery_aggregates
      where window_start >= $1::timestamptz
        and window_start < least($2::timestamptz, ms_to_time($3))
        and window_end <> window_start + $4 * interval '1 ms'
      order by window_start, lottery_name, event_type
      limit $5`,
    values: [from, to, thanMs, windowMs, limit],
  });
  return rows.map((row) => ({
    windowStartMs: row.window_start.getTime(),
    lotteryName: row.lottery_name,
    eventType: row.event_type,
    stored: row.event_count,
    ...{ recounted: null, isPartial: false, hasWrongEnd: true },
  }));
}

function toDifference(
  { hour_start, lottery_name, event_type, stored, of_minutes }: StepRow,
): HourDifference {
  return {
    hourStartMs: hour_start!.getTime(),
    lotteryName: lottery_name,
    eventType: event_type,
    stored,
    ofMinutes: of_minutes,
  };
}

/**
 * Compares every hour with the sum of its minutes, in the database.
 * @module
 */

import type { HourAudit, HourDifference } from "../../../core/audit/hour_audit.ts";
import type { Connection, Row } from "../session/connection.ts";

/** A statement that reads many more may be given up for its time. */
const STEP_ROWS = 500_000;

interface StepRow extends Row {
  readonly agreeing: number;
  readonly wrong: number;
  /** Where the next step begins, as text; 'infinity' after the last one. */
  readonly step_end: string;
  /** Null without any that is wrong. */
  readonly hour_start: Date | null;
  readonly lottery_name: string;
  readonly event_type: string;
  readonly stored: number | null;
  readonly of_minutes: number | null;
}

/**
 * Both ways, but only hours of which no window is deleted for its age. While an older database is
 * being filled, windows that are not in the hours yet count as none. In steps, within a transaction.
 */
export async function compareHours(
  connection: Connection,
  { maxDifferences, stepRows = STEP_ROWS }: {
    readonly maxDifferences: number;
    /** Rows of counts that a step reads, and an hour more. */
    readonly stepRows?: number;
  },
): Promise<HourAudit> {
  const [bounds] = await connection.query<{ first_hour: string; not_provable: number }>({
    text: `
      select
        first_hour::text,
        (select count(*) from lottery_hours where hour_start < first_hour) as not_provable
      from pipeline, coalesce(next_hour(aggregates_horizon), '-infinity') as first_hour`,
  });
  let agreeing = 0;
  let wrong = 0;
  const differences: HourDifference[] = [];
  for (let from = bounds!.first_hour; from !== "infinity";) {
    const limit = maxDifferences - differences.length;
    const rows = await compareStep(connection, { from, stepRows, limit });
    for (const row of rows) if (row.hour_start !== null) differences.push(toDifference(row));
    agreeing += rows[0]!.agreeing;
    wrong += rows[0]!.wrong;
    from = rows[0]!.step_end;
  }
  return { hours: { agreeing, wrong, notProvable: bounds!.not_provable }, differences };
}

/** At least one row, with the tallies; each of the `limit` first that differ has its own. */
async function compareStep(
  connection: Connection,
  { from, stepRows, limit }: {
    readonly from: string;
    readonly stepRows: number;
    readonly limit: number;
  },
): Promise<StepRow[]> {
  return await connection.query<StepRow>({
    text: `
      with step as materialized (
        select coalesce(
          (
            select date_trunc('hour', window_start, 'UTC') + interval '1 hour'
            from lottery_aggregates
            where window_start >= $1::timestamptz
            order by window_start
            offset $2 limit 1
          ),
          'infinity'
        ) as step_end
      ),
      stored as (
        select hour_start, lottery_name, event_type, event_count as stored
        from lottery_hours
        where hour_start >= $1::timestamptz and hour_start < (select step_end from step)
      ),
      sums as (
        select
          date_trunc('hour', window_start, 'UTC') as hour_start, lottery_name, event_type,
          sum(event_count)::bigint as of_minutes
        from lottery_aggregates
        where window_start >= (select greatest($1::timestamptz, hours_from) from pipeline)
          and window_start < (select step_end from step)
        group by 1, lottery_name, event_type
      ),
      compared as materialized (
        select * from stored full join sums using (hour_start, lottery_name, event_type)
      ),
      tallies as (
        select
          count(*) filter (where stored = of_minutes) as agreeing,
          count(*) filter (where stored is distinct from of_minutes) as wrong
        from compared
      ),
      differing as (
        select *
        from compared
        where stored is distinct from of_minutes
        order by hour_start, lottery_name, event_type
        limit $3
      )
      select agreeing, wrong, step_end::text, differing.*
      from step cross join tallies left join differing on true
      order by hour_start, lottery_name, event_type`,
    values: [from, stepRows, limit],
  });
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

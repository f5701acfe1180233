/**
 * Events of any range by lottery and type, and of the same range a week before.
 * @module
 */

import { byPlace, type EventsByPlace } from "../../../core/views/window_view.ts";
import { isMigrated } from "../schema/migrate.ts";
import type { Connection, Row } from "../session/connection.ts";
import statement from "./totals.sql" with { type: "text" };

/** Windows that start in `[fromMs, toMs)`. */
export interface TotalsQuery {
  readonly fromMs: number;
  readonly toMs: number;
  /** Whose days are a week apart, by its IANA name. */
  readonly zone: string;
  /** Of these alone, or of all if there is none. */
  readonly lotteryNames: readonly string[];
}

/** Names in the order of their places, the busiest first; others share the last place. */
export interface Totals {
  readonly eventTypes: readonly string[];
  readonly lotteryNames: readonly string[];
  readonly otherLotteries: number;
  readonly totals: EventsByPlace;
  /** Null if that week was not counted from the beginning of the range on, or is deleted. */
  readonly totalsWeekAgo: EventsByPlace | null;
  readonly isClosed: boolean;
  /** False if a part of the range is deleted for its age, and so missing in the totals. */
  readonly isWhole: boolean;
}

/** How many have their own place, unless they are chosen. */
const MAX_LOTTERIES = 12;
const MAX_TYPES = 7;

export async function readTotals(connection: Connection, query: TotalsQuery): Promise<Totals> {
  const week = await isMigrated(connection) ? await readWeekAgo(connection, query) : null;
  const { fromMs, toMs, lotteryNames: chosen } = query;
  if (week === null) {
    const size = { lotteries: chosen.length + 1, types: 1 };
    return {
      eventTypes: [],
      lotteryNames: chosen,
      otherLotteries: 0,
      totals: byPlace([], size),
      totalsWeekAgo: null,
      isClosed: false,
      isWhole: true,
    };
  }
  const [row] = await connection.query<
    Row & {
      readonly event_types: readonly string[];
      readonly lottery_names: readonly string[];
      readonly other_lotteries: number;
      /** Places of lottery and type, events. */
      readonly totals: readonly (readonly number[])[];
      readonly totals_before: readonly (readonly number[])[];
    }
  >({
    text: statement,
    values: [
      new Date(fromMs),
      new Date(toMs),
      week.from_before,
      week.is_known ? week.to_before : week.from_before,
      chosen.length === 0 ? null : chosen,
      Math.max(MAX_LOTTERIES, chosen.length),
      MAX_TYPES,
    ],
  });
  const { event_types: eventTypes, lottery_names: lotteryNames } = row!;
  const size = { lotteries: lotteryNames.length + 1, types: eventTypes.length + 1 };
  return {
    eventTypes,
    lotteryNames,
    otherLotteries: row!.other_lotteries,
    totals: byPlace(row!.totals, size),
    totalsWeekAgo: week.is_known ? byPlace(row!.totals_before, size) : null,
    isClosed: week.is_closed,
    isWhole: week.is_whole,
  };
}

interface WeekRow extends Row {
  readonly from_before: Date;
  readonly to_before: Date;
  /** All of it was counted, and is kept. */
  readonly is_known: boolean;
  /** Of the range itself, not of the week before. */
  readonly is_closed: boolean;
  readonly is_whole: boolean;
}

/** Whether nothing of a range is deleted for its age. */
function isKept(from: string, to: string): string {
  return `(
    aggregates_horizon is null
    or ${from} >= aggregates_horizon
    or date_trunc('hour', ${from}) = ${from}
      and ${from} >= coalesce(hours_horizon, '-infinity')
      and (date_trunc('hour', ${to}) = ${to} or date_trunc('hour', ${to}) >= aggregates_horizon)
  )`;
}

/** Where the range is a week before: whole days by the calendar, anything else 168 hours. */
async function readWeekAgo(
  connection: Connection,
  { fromMs, toMs, zone }: TotalsQuery,
): Promise<WeekRow | null> {
  const [row] = await connection.query<WeekRow>({
    text: `
      select
        from_before,
        to_before,
        coalesce(
          from_before >= case
            when aggregates_horizon is null then (select min(window_start) from lottery_aggregates)
            else (select min(hour_start) from lottery_hours)
          end
          and ${isKept("from_before", "to_before")},
          false
        ) as is_known,
        coalesce($2::timestamptz <= closed_up_to, false) as is_closed,
        ${isKept("$1::timestamptz", "$2::timestamptz")} as is_whole
      from pipeline
      cross join lateral (
        select
          date_trunc('day', $1::timestamptz at time zone $3::text) at time zone $3::text = $1
            and date_trunc('day', $2::timestamptz at time zone $3::text) at time zone $3::text = $2 as are_days
      ) range
      cross join lateral (
        select
          case
            when are_days then ($1 at time zone $3::text - interval '7 days') at time zone $3::text
            else $1 - interval '168 hours'
          end as from_before,
          case
            when are_days then ($2 at time zone $3::text - interval '7 days') at time zone $3::text
            else $2 - interval '168 hours'
          end as to_before
      ) week`,
    values: [new Date(fromMs), new Date(toMs), zone],
  });
  return row ?? null;
}

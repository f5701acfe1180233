/**
 * What the database says of the buckets of a query: since when they are kept, and where they are read.
 * @module
 */

import type { Connection, Row } from "../../session/connection.ts";
import type { CountsQuery } from "./query.ts";

/** What the database says of the buckets of a query. */
export interface BucketState {
  readonly windowSeconds: number;
  /** Windows that end at or before it are closed; −∞ if none is. */
  readonly closedUpToMs: number;
  /** Buckets that start before it are deleted for their age; null: none is. */
  readonly keptFromMs: number | null;
  /** Hours that start before it may not have all of their windows yet; −∞ if all have. */
  readonly inHoursFromMs: number;
}

/**
 * Null before anything was counted.
 * @throws {pg.DatabaseError} `22023` for a zone that PostgreSQL does not know.
 */
export async function readState(
  connection: Connection,
  { stepSeconds, zone }: Pick<CountsQuery, "stepSeconds" | "zone">,
): Promise<BucketState | null> {
  const [row] = await connection.query<
    Row & {
      readonly window_seconds: number;
      readonly closed_up_to: Date | null;
      readonly kept_from: Date | null;
      readonly in_hours_from: Date | null;
    }
  >({
    // Buckets of whole hours are kept as long as the hours. Days are that unless the zone is half an
    // hour off, be it in summer only; but those that are windows follow no zone.
    text: `
      select
        window_seconds,
        closed_up_to,
        next_hour(hours_from) as in_hours_from,
        case
          when $1::integer % 3600 = 0
            and ($1::integer < 86400 or $1::integer = window_seconds or is_by_hours)
          then hours_horizon
          else aggregates_horizon
        end as kept_from
      from pipeline
      cross join lateral (
        select bool_and(extract(minute from hour at time zone $2::text) = 0) as is_by_hours
        from (values (date_trunc('hour', now())), (coalesce(hours_horizon, 'epoch')),
          (coalesce(hours_horizon, 'epoch') + interval '182 days')) as hours (hour)
      ) zone`,
    values: [stepSeconds, zone],
  });
  return row
    ? {
      windowSeconds: row.window_seconds,
      closedUpToMs: row.closed_up_to?.getTime() ?? -Infinity,
      keptFromMs: row.kept_from?.getTime() ?? null,
      inHoursFromMs: row.in_hours_from?.getTime() ?? -Infinity,
    }
    : null;
}

/** Where the buckets from a time on are read. */
export type Source = "windows" | "hours" | "both";

export function sourceOf(
  { stepSeconds }: CountsQuery,
  { windowSeconds, inHoursFromMs }: BucketState,
  fromMs: number,
): Source {
  const isWindow = stepSeconds === windowSeconds;
  // A window of whole hours is the hour that it starts in, which is kept longer.
  const isHour = stepSeconds === HOUR_SECONDS || isWindow && windowSeconds % HOUR_SECONDS === 0;
  if (isHour && fromMs >= inHoursFromMs) return "hours";
  return isWindow ? "windows" : "both";
}

const HOUR_SECONDS = 3_600;

/** True if what is asked for is a part of a table in the order of its key: then it needs no spans. */
export function isInOrder(query: CountsQuery, state: BucketState, fromMs: number): boolean {
  return query.lotteryNames.length === 0 && query.eventTypes.length === 0 &&
    sourceOf(query, state, fromMs) !== "both";
}

/**
 * What a range has, and what it should have by the weeks before.
 * @module
 */

import { isMigrated } from "../../schema/migrate.ts";
import type { Connection, Row } from "../../session/connection.ts";

/** Windows that start in `[fromMs, toMs)`, of a day at most. */
export interface ExpectedQuery {
  readonly fromMs: number;
  readonly toMs: number;
  /** Whose weekdays and clocks count, by its IANA name. */
  readonly zone: string;
  /** Of these alone, or of all if there is none. */
  readonly lotteryNames: readonly string[];
  readonly eventTypes: readonly string[];
}

export interface Expected {
  readonly isClosed: boolean;
  /** There are more, of which fewer is expected. */
  readonly isTruncated: boolean;
  /** Those of which most is expected first. */
  readonly rows: readonly ExpectedRow[];
}

export interface ExpectedRow {
  readonly lotteryName: string;
  readonly eventType: string;
  readonly events: number;
  readonly expected: number;
  /** By how many weeks it is expected; 0 for one that none of them had. */
  readonly weeks: number;
}

const MAX_ROWS = 10_000;

export async function readExpected(
  connection: Connection,
  { fromMs, toMs, zone, lotteryNames, eventTypes }: ExpectedQuery,
): Promise<Expected> {
  if (!await isMigrated(connection)) return { isClosed: false, isTruncated: false, rows: [] };
  const [pipeline] = await connection.query<{ is_closed: boolean }>({
    text: "select coalesce($1::timestamptz <= closed_up_to, false) as is_closed from pipeline",
    values: [new Date(toMs)],
  });
  const rows = await connection.query<
    Row & {
      readonly lottery_name: string;
      readonly event_type: string;
      readonly event_count: number;
      readonly expected_count: number;
      readonly weeks: number;
    }
  >({
    text: `
      select
        lottery_name,
        event_type,
        coalesce(t.event_count, 0) as event_count,
        coalesce(e.expected_count, 0) as expected_count,
        coalesce(e.weeks, 0) as weeks
      from expected_counts($1, $2, $3, $4, $5) e
      full join (
        select lottery_name, event_type, event_count
        from lottery_totals($1, $2)
        where ($4::text[] is null or lottery_name = any ($4))
          and ($5::text[] is null or event_type = any ($5))
      ) t using (lottery_name, event_type)
      order by expected_count desc, event_count desc, lottery_name, event_type
      limit $6`,
    values: [
      new Date(fromMs),
      new Date(toMs),
      zone,
      lotteryNames.length === 0 ? null : lotteryNames,
      eventTypes.length === 0 ? null : eventTypes,
      MAX_ROWS + 1,
    ],
  });
  return {
    isClosed: pipeline?.is_closed ?? false,
    isTruncated: rows.length > MAX_ROWS,
    rows: rows.slice(0, MAX_ROWS).map((row) => ({
      lotteryName: row.lottery_name,
      eventType: row.event_type,
      events: row.event_count,
      expected: row.expected_count,
      weeks: row.weeks,
    })),
  };
}

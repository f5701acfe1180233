/**
 * Lotteries that are quiet now, as a worker has judged them last.
 * @module
 */

import type { QuietLotteries } from "../../../../core/views/quiet.ts";
import type { Connection, Row } from "../../session/connection.ts";

/** Further ones are only counted. */
const MAX_LISTED = 100;

interface QuietRow extends Row {
  readonly lottery_name: string;
  readonly event_type: string;
  readonly quiet_since: Date;
  readonly event_count: number;
  readonly expected_count: number;
  readonly weeks: number;
  readonly total: number;
}

/** The latest first. */
export async function readQuiet(connection: Connection): Promise<QuietLotteries> {
  const rows = await connection.query<QuietRow>({
    text: `
      select
        lottery_name, event_type, quiet_since, event_count, expected_count, weeks,
        count(*) over () as total
      from quiet_lotteries
      order by quiet_since desc, expected_count desc, lottery_name, event_type
      limit $1`,
    values: [MAX_LISTED],
  });
  return {
    total: rows[0]?.total ?? 0,
    listed: rows.map((row) => ({
      lotteryName: row.lottery_name,
      eventType: row.event_type,
      quietSinceMs: row.quiet_since.getTime(),
      events: row.event_count,
      expected: row.expected_count,
      weeks: row.weeks,
    })),
  };
}

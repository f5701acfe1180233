/**
 * The names of lotteries, found by a part of them.
 * @module
 */

import { isMigrated } from "../schema/migrate.ts";
import type { Connection, Row } from "../session/connection.ts";

export interface LotterySearch {
  /** What they contain, in whatever case; all of them if it is empty. */
  readonly text: string;
  readonly limit: number;
}

/** The newest rows of hours by which it is judged who is busy. */
const RECENT_ROWS = 20_000;
/** Names that are searched, in the order of the alphabet; only a topic full of rubbish has more. */
const MAX_NAMES = 100_000;

/**
 * Names ever counted that contain a text: the one that is called so first, then those that begin
 * with it, the busiest of late first.
 */
export async function searchLotteries(
  connection: Connection,
  { text, limit }: LotterySearch,
): Promise<string[]> {
  if (!await isMigrated(connection)) return [];
  const rows = await connection.query<Row & { readonly lottery_name: string }>({
    // Goes from name to name in the index: their number counts, not that of the rows.
    text: `
      with recursive names as (
        (select lottery_name from lottery_hours order by lottery_name limit 1)
        union all
        select (
          select h.lottery_name
          from lottery_hours h
          where h.lottery_name > names.lottery_name
          order by h.lottery_name
          limit 1
        )
        from names
        where names.lottery_name is not null
      ),
      recent as (
        select lottery_name, sum(event_count) as events
        from (
          select lottery_name, event_count
          from lottery_hours
          order by hour_start desc, lottery_name desc, event_type desc
          limit $3
        ) newest
        group by lottery_name
      )
      select lottery_name
      from (select lottery_name from names limit $4) searched
      left join recent using (lottery_name)
      where strpos(lower(lottery_name), lower($1)) > 0
      order by
        lottery_name = $1 desc,
        strpos(lower(lottery_name), lower($1)) = 1 desc,
        events desc nulls last,
        lottery_name
      limit $2`,
    values: [text, limit, RECENT_ROWS, MAX_NAMES],
  });
  return rows.map(({ lottery_name }) => lottery_name);
}

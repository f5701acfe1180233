/**
 * Numbers of dead letters by reason, the most frequent first.
 * @module
 */

import type { DeadLetterStatus } from "../../../core/views/status.ts";
import type { Connection, Row } from "../session/connection.ts";

export async function deadLettersByReason(connection: Connection): Promise<DeadLetterStatus[]> {
  return await connection.query<Row & DeadLetterStatus>({
    text: `
      select reason, count(*) as records, count(replayed_at) as replayed
      from dead_letters
      group by reason
      order by records desc, reason`,
  });
}

/** Those of the last minute. */
export async function recentDeadLetters(
  connection: Connection,
): Promise<{ readonly reason: string; readonly records: number }[]> {
  return await connection.query<{ reason: string; records: number }>({
    text: `
      select reason, count(*) as records
      from dead_letters
      where received_at between now() - interval '1 minute' and now()
      group by reason
      order by records desc`,
  });
}

/**
 * What is read from the database, by alarms and by `--once`.
 * @module
 */

import type { Connection } from "../session/connection.ts";

/** Dead letters of the last minute, by reason. */
export async function recentDeadLetters(
  connection: Connection,
): Promise<{ readonly reason: string; readonly records: number }[]> {
  return await connection.query<{ reason: string; records: number }>({
    text: `
      select reason, sum(letters)::bigint as records
      from dead_letter_counts
      where received_at between now() - interval '1 minute' and now()
      group by reason
      order by records desc`,
  });
}

/** Stored next offset of each partition that has one. */
export async function storedOffsets(
  connection: Connection,
  topic: string,
): Promise<ReadonlyMap<number, number>> {
  const rows = await connection.query<{ partition: number; next_offset: number }>({
    text: "select partition, next_offset from kafka_offsets where topic = $1",
    values: [topic],
  });
  return new Map(rows.map(({ partition, next_offset }) => [partition, next_offset]));
}

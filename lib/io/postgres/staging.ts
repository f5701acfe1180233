/**
 * Dead letters of a flood, which commits store as they come, and that become rows later.
 * @module
 */

import type { Connection, Row } from "./session/connection.ts";

/** What one commit has staged. */
export interface Staged extends Row {
  readonly id: number;
  readonly letters: number;
}

/** All that is staged, the oldest first. */
export async function allStaged(connection: Connection): Promise<Staged[]> {
  return await connection.query<Staged>({
    text: "select id, letters from dead_letter_staging order by id",
  });
}

/** What is to become rows now: what a flood has left that is over, and else what is a minute old. */
export async function dueStaged(connection: Connection): Promise<Staged[]> {
  return await connection.query<Staged>({
    text: `
      select id, letters
      from dead_letter_staging
      where received_at not between now() - interval '1 minute' and now()
        or not exists (
          select
          from dead_letter_staging
          where received_at between now() - interval '2 seconds' and now()
        )
      order by id`,
  });
}

/** Where letters with these offsets may be staged. */
export async function stagedWith(
  connection: Connection,
  { topic, offsets }: { readonly topic: string; readonly offsets: readonly number[] },
): Promise<Staged[]> {
  return await connection.query<Staged>({
    text: `
      select id, letters
      from dead_letter_staging
      where topic = $1 and offsets && $2::bigint[]
      order by id`,
    values: [topic, offsets],
  });
}

/** Makes rows of it, unless another has done so. */
export async function unstage(connection: Connection, { id }: Staged): Promise<void> {
  await connection.query({ text: "select unstage_dead_letters($1)", values: [id] });
}

/**
 * Fills `lottery_hours` of a database that had windows before it had hours.
 * @module
 */

import type { Connection } from "./session/connection.ts";

/** Whether windows of before are missing in the hours. */
export async function areHoursMissing(connection: Connection): Promise<boolean> {
  const rows = await connection.query({
    text: "select from pipeline where hours_from is not null",
  });
  return rows.length > 0;
}

/** Commits wait for a step. */
const STEP_ROWS = 5_000;

/**
 * Puts the newest windows that are missing there into the hours, in one small step.
 * @returns since when windows are in the hours, in milliseconds since the epoch; null: all are.
 */
export async function fillHours(connection: Connection): Promise<number | null> {
  const [row] = await connection.query<{ filled_from: Date | null }>({
    text: "select fill_hours($1) as filled_from",
    values: [STEP_ROWS],
  });
  return row!.filled_from?.getTime() ?? null;
}

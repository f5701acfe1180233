/**
 * Deletes old rows, a step at a time, and records in the same transaction up to where.
 * @module
 */

import type { Connection } from "./session/connection.ts";

export interface ExpiryStep {
  readonly deletedRows: number;
  /** Nothing is left that is old enough. */
  readonly isDone: boolean;
}

export interface ExpiryOptions {
  readonly retentionDays: number;
  /** Our clock, in milliseconds since the epoch. */
  readonly nowMs: number;
}

/** Commits wait for a step. */
const STEP_ROWS = 5_000;

/**
 * Deletes the oldest windows, whole ones, and moves the horizon behind them. The clock that is
 * furthest behind decides what is old: ours, the database's or event time.
 */
export async function expireAggregates(
  connection: Connection,
  options: ExpiryOptions,
): Promise<ExpiryStep> {
  return await expire(connection, "expire_aggregates", options);
}

/** Deletes the oldest hours, but none before all of its windows are deleted. */
export async function expireHours(
  connection: Connection,
  options: ExpiryOptions,
): Promise<ExpiryStep> {
  return await expire(connection, "expire_hours", options);
}

async function expire(
  connection: Connection,
  of: "expire_aggregates" | "expire_hours",
  { retentionDays, nowMs }: ExpiryOptions,
): Promise<ExpiryStep> {
  const [row] = await connection.query<{ deleted_rows: number; is_done: boolean }>({
    text: `select deleted_rows, is_done from ${of}($1, $2, to_timestamp($3::bigint / 1000.0))`,
    values: [retentionDays, STEP_ROWS, nowMs],
  });
  return { deletedRows: row!.deleted_rows, isDone: row!.is_done };
}

/** Deletes the dead letters that were received first; replayed ones go with their window. */
export async function expireDeadLetters(
  connection: Connection,
  { retentionDays, nowMs }: ExpiryOptions,
): Promise<ExpiryStep> {
  const [row] = await connection.query<{ deleted_rows: number }>({
    text: "select expire_dead_letters($1, $2, to_timestamp($3::bigint / 1000.0)) as deleted_rows",
    values: [retentionDays, STEP_ROWS, nowMs],
  });
  return { deletedRows: row!.deleted_rows, isDone: row!.deleted_rows < STEP_ROWS };
}

/**
 * What a worker does so that old rows are deleted: a look each minute.
 * @module
 */

import type { Config } from "../core/settings/config.ts";
import { log } from "../io/logs.ts";
import {
  expireAggregates,
  expireDeadLetters,
  type ExpiryOptions,
  type ExpiryStep,
} from "../io/postgres/retention.ts";
import type { Connection } from "../io/postgres/session/connection.ts";
import { Maintenance } from "./maintenance.ts";

const INTERVAL_MS = 60_000;

/** One kind of rows, and how old they may become. */
interface Expiry {
  readonly what: string;
  readonly retentionDays: number | undefined;
  readonly step: (connection: Connection, options: ExpiryOptions) => Promise<ExpiryStep>;
}

/** Deletes what is older than the settings allow; connects only if there is something to delete. */
export function retention(
  { aggregatesRetentionDays, deadLettersRetentionDays }: Config,
  connection: Connection,
): Maintenance {
  const expiries: readonly Expiry[] = [
    { what: "counts", retentionDays: aggregatesRetentionDays, step: expireAggregates },
    { what: "dead letters", retentionDays: deadLettersRetentionDays, step: expireDeadLetters },
  ];
  return new Maintenance({
    name: "delete what is old",
    intervalMs: INTERVAL_MS,
    connection,
    async work(connection, signal) {
      for (const expiry of expiries) await expire(expiry, connection, signal);
    },
  });
}

async function expire(
  { what, retentionDays, step }: Expiry,
  connection: Connection,
  signal: AbortSignal,
): Promise<void> {
  if (retentionDays === undefined) return;
  let deletedRows = 0;
  let isDone = false;
  while (!isDone && !signal.aborted) {
    const done = await step(connection, { retentionDays, nowMs: Date.now() });
    deletedRows += done.deletedRows;
    isDone = done.isDone;
  }
  if (deletedRows === 0) return;
  log.info("Deleted {deletedRows} rows of {what} that were older than {retentionDays} days", {
    deletedRows,
    what,
    retentionDays,
  });
}

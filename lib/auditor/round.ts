/**
 * One audit, from the tables to the verdict.
 * @module
 */

import type { AuditReport } from "../core/audit/audit.ts";
import type { AuditedLog } from "../core/audit/audited_log.ts";
import { openAudit } from "../io/postgres/queries/audit/snapshot.ts";
import type { Connection } from "../io/postgres/session/connection.ts";
import { Recount, type RecountProgress } from "./recount.ts";

export interface RoundOptions {
  readonly connection: Connection;
  readonly log: AuditedLog;
  readonly topic: string;
  readonly windowMs: number;
  readonly maxFutureMs: number;
  /** Only windows that start at or after it are recounted; null: everything that can be proved. */
  readonly sinceMs: number | null;
  /** How many hours that are wrong are named at most. */
  readonly limit: number;
  readonly onProgress?: (progress: RecountProgress) => void;
  /** Ends the round: it rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

/**
 * Recounts what was counted since a time, or everything that can be proved. Changes nothing, and
 * disturbs no worker. The connection is free again once the tables are read.
 */
export async function auditRound(options: RoundOptions): Promise<AuditReport> {
  const { connection, log, topic, windowMs, maxFutureMs, sinceMs, limit } = options;
  const { onProgress, signal } = options;
  const audit = await openAudit(connection, {
    ...{ topic, windowMs, sinceMs, signal },
    maxHourDifferences: limit,
  });
  await new Recount({ audit, log, maxFutureMs, onProgress, signal }).run();
  return audit.report();
}

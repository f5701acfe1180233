/**
 * What page and API show of the whole pipeline. Every statement is quick for any number of rows.
 * @module
 */

import type { AuditNote } from "../../../core/audit/audit_note.ts";
import { lagOf, type LogRange } from "../../../core/offsets/log_range.ts";
import type { QuietLotteries } from "../../../core/views/quiet.ts";
import type { EventTimes } from "../../../core/views/time_range.ts";
import { isMigrated } from "../schema/migrate.ts";
import type { Connection, Row } from "../session/connection.ts";
import { type StoredPartition, storedPartitions } from "./progress.ts";
import { readLastAudit } from "./watch/last_audit.ts";
import { readQuiet } from "./watch/quiet.ts";

/** What the database says of all workers. Times in milliseconds since the epoch. */
export interface Overview extends EventTimes {
  /** Windows that end at or before it are closed; null if none is. */
  readonly closedUpToMs: number | null;
  /** Events counted since the beginning, also those in windows that are deleted by now. */
  readonly events: number;
  /** Records kept as dead letters since the beginning. */
  readonly deadLetters: number;
  readonly partitions: readonly StoredPartition[];
  readonly workers: number;
  /** What the newest round of `audit --watch` has found; null if there was none. */
  readonly audit: AuditNote | null;
  readonly quiet: QuietLotteries;
}

interface OverviewRow extends Row {
  readonly now: Date;
  readonly newest_window: Date | null;
  readonly watermark: Date | null;
  readonly window_seconds: number;
  readonly closed_up_to: Date | null;
  readonly events: number;
  readonly dead_letters: number;
  readonly workers: number;
}

/** Null before anything was counted into this database. */
export async function readOverview(
  connection: Connection,
  topic: string,
): Promise<Overview | null> {
  if (!await isMigrated(connection)) return null;
  const [row] = await connection.query<OverviewRow>({
    text: `
      select
        now(),
        (select max(window_start) from lottery_aggregates) as newest_window,
        watermark,
        window_seconds,
        closed_up_to,
        (totals.counted + replayed_letters)::bigint as events,
        totals.dead::bigint as dead_letters,
        (select count(*) from living_workers) as workers
      from pipeline
      cross join (
        select coalesce(sum(counted), 0) as counted, coalesce(sum(dead), 0) as dead
        from kafka_offsets
      ) totals`,
  });
  if (!row) return null;
  return {
    nowMs: row.now.getTime(),
    newestWindowMs: row.newest_window?.getTime() ?? null,
    watermarkMs: row.watermark?.getTime() ?? null,
    windowMs: row.window_seconds * 1000,
    closedUpToMs: row.closed_up_to?.getTime() ?? null,
    events: row.events,
    deadLetters: row.dead_letters,
    partitions: await storedPartitions(connection, topic),
    workers: row.workers,
    audit: await readLastAudit(connection),
    quiet: await readQuiet(connection),
  };
}

/** Records of each partition that are not stored yet. */
export function storedLags(
  overview: Overview,
  logRanges: ReadonlyMap<number, LogRange>,
): Map<number, number> {
  const stored = storedOffsetsOf(overview);
  return new Map(
    Array.from(logRanges, ([partition, range]) => [
      partition,
      lagOf(stored.get(partition) ?? null, range),
    ]),
  );
}

export function storedOffsetsOf({ partitions }: Overview): ReadonlyMap<number, number> {
  return new Map(partitions.map(({ partition, nextOffset }) => [partition, nextOffset]));
}

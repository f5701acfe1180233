/**
 * Everything that an audit compares, as it was at one moment.
 * @module
 */

import { Audit } from "../../../../core/audit/audit.ts";
import {
  entrySince,
  type HistoryEntry,
  type PartitionHistory,
} from "../../../../core/audit/history.ts";
import type { StoredTotals } from "../../../../core/audit/ledger_totals.ts";
import type { DeadLetterDifference } from "../../../../core/audit/partition_audit.ts";
import { firstWindow } from "../../../../core/audit/row_audit.ts";
import type { Connection, Row } from "../../session/connection.ts";
import { compareHours } from "./hour_comparison.ts";
import { changedLetters, replayedLetters, storedLetters } from "./letters.ts";
import { paged, type Reader } from "./paged.ts";

export interface SnapshotOptions {
  readonly topic: string;
  readonly windowMs: number;
  /** How many hours that are wrong are named at most. */
  readonly maxHourDifferences: number;
  /** Only windows that start at or after it are recounted; null: everything that can be proved. */
  readonly sinceMs?: number | null;
  /** Ends it between two queries: it rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/** An audit that knows what is stored, and has to be given the records up to the stored offsets. */
export async function openAudit(
  session: Connection,
  { topic, windowMs, maxHourDifferences, sinceMs = null, signal }: SnapshotOptions,
): Promise<Audit> {
  const connection: Reader = {
    query: async (query) => {
      signal?.throwIfAborted();
      return await session.query(query);
    },
  };
  return await session.transaction(async () => {
    await connection.query({ text: "set transaction isolation level repeatable read, read only" });
    const histories = (await readHistories(connection, topic)).map((history) =>
      sinceMs === null ? history : { ...history, since: entrySince(history.entries, sinceMs) }
    );
    const fromMs = firstWindow({ sinceMs, windowMs });
    const minutes = await compareHours(connection, {
      maxDifferences: maxHourDifferences,
      earlier: sinceMs === null ? undefined : { thanMs: fromMs, windowMs },
    });
    const audit = new Audit({
      ...{ windowMs, sinceMs },
      ...await readTimes(connection),
      ledger: await readLedger(connection),
      hours: minutes,
      earlier: minutes.earlier,
      changedLetters: await readChangedLetters(connection, { topic, histories }),
      windowsAhead: await readWindowsAhead(connection),
      abandoned: await readLeft(connection, topic),
    });
    for (const history of histories) audit.addPartition(history);
    for await (const row of storedCounts(connection, fromMs)) {
      audit.addStoredCount({
        windowStartMs: row.window_start.getTime(),
        windowEndMs: row.window_end.getTime(),
        lotteryName: row.lottery_name,
        eventType: row.event_type,
        count: row.event_count,
      });
    }
    for (const partition of audit.partitions) {
      const { partition: id, since } = partition.history;
      const from = since?.nextOffset ?? Number.MIN_SAFE_INTEGER;
      for await (const letter of storedLetters(connection, { topic, partition: id, from })) {
        partition.addStored({
          offset: letter.kafka_offset,
          reason: letter.reason,
          sha256: letter.sha256,
          isIntact: letter.is_intact,
        });
      }
    }
    for await (const letter of replayedLetters(connection)) {
      audit.addReplayed({
        partition: letter.partition,
        offset: letter.kafka_offset,
        value: letter.replayed_value,
        windowStartMs: letter.replayed_window.getTime(),
      });
    }
    return audit;
  });
}

/** Of the letters that are not compared with the log: those before it, and of abandoned logs. */
async function readChangedLetters(
  connection: Reader,
  { topic, histories }: {
    readonly topic: string;
    readonly histories: readonly PartitionHistory[];
  },
): Promise<DeadLetterDifference[]> {
  const left = await connection.query<{ topic: string; partition: number }>({
    text: "select topic, partition from kafka_offsets where topic <> $1 order by 1, 2",
    values: [topic],
  });
  const parts = [
    ...left.map((part) => ({ ...part, before: Number.MAX_SAFE_INTEGER })),
    ...histories.flatMap(({ partition, since }) =>
      since ? [{ topic, partition, before: since.nextOffset }] : []
    ),
  ];
  const differences: DeadLetterDifference[][] = [];
  for (const part of parts) differences.push(await changedLetters(connection, part));
  return differences.flat();
}

/** Records read are those counted and those kept as dead letters: so it is said, and so it must be found. */
async function readLedger(connection: Reader): Promise<StoredTotals> {
  const [ledger] = await connection.query<Row & StoredTotals>({
    text: `
      select
        coalesce(sum(counted), 0)::bigint as "counted",
        coalesce(sum(dead), 0)::bigint as "dead",
        (select count(*) from dead_letters) as "deadLetters",
        (select coalesce(sum(event_count), 0)::bigint from lottery_hours) as "hourEvents",
        (select replayed_letters from pipeline) as "replayedLetters",
        (select deleted_events from pipeline) as "deletedEvents",
        (select deleted_hour_events from pipeline) as "deletedHourEvents",
        (select coalesce(sum(deleted), 0)::bigint from dead_letter_horizons) as "deletedLetters"
      from kafka_offsets`,
  });
  return ledger!;
}

async function readTimes(connection: Reader): Promise<{
  readonly atMs: number;
  readonly closedUpToMs: number | null;
  readonly horizonMs: number;
  readonly hoursFromMs: number;
}> {
  const [row] = await connection.query<{
    at: Date;
    closed_up_to: Date | null;
    horizon: Date | null;
    hours_from: Date | null;
  }>({
    text: `
      select now() as at, closed_up_to, aggregates_horizon as horizon, hours_from
      from pipeline`,
  });
  return {
    atMs: row!.at.getTime(),
    closedUpToMs: row!.closed_up_to?.getTime() ?? null,
    horizonMs: row!.horizon?.getTime() ?? -Infinity,
    hoursFromMs: row!.hours_from?.getTime() ?? -Infinity,
  };
}

async function readWindowsAhead(connection: Reader): Promise<ReadonlySet<number>> {
  const rows = await connection.query<{ window_start: Date }>({
    text: "select window_start from windows_ahead",
  });
  return new Set(rows.map(({ window_start }) => window_start.getTime()));
}

async function readLeft(
  connection: Reader,
  topic: string,
): Promise<{ readonly maxEventTimeMs: number | null; readonly deadLetters: number }> {
  const [row] = await connection.query<{ max_event_time: Date | null; dead_letters: number }>({
    text: `
      select
        max(max_event_time) as max_event_time,
        (select count(*) from dead_letters where topic <> $1) as dead_letters
      from kafka_offsets
      where topic <> $1`,
    values: [topic],
  });
  return {
    maxEventTimeMs: row!.max_event_time?.getTime() ?? null,
    deadLetters: row!.dead_letters,
  };
}

interface HistoryRow extends Row {
  readonly partition: number;
  readonly next_offset: number;
  readonly counted: number;
  readonly dead: number;
  readonly max_event_time: Date | null;
}

/** The counters of each partition, now and before. */
export async function readHistories(
  connection: Reader,
  topic: string,
): Promise<PartitionHistory[]> {
  const now = await connection.query<
    HistoryRow & { readonly first_offset: number; readonly dead_letter_horizon: number }
  >({
    text: `
      select
        partition, first_offset, next_offset, counted, dead, max_event_time,
        coalesce(horizon_offset, 0) as dead_letter_horizon
      from kafka_offsets
      left join dead_letter_horizons using (topic, partition)
      where topic = $1
      order by partition`,
    values: [topic],
  });
  const before = await connection.query<HistoryRow>({
    text: `
      select partition, next_offset, counted, dead, max_event_time
      from offset_history
      where topic = $1
      order by partition, next_offset, at`,
    values: [topic],
  });
  const entries = Map.groupBy(before, ({ partition }) => partition);
  return now.map((row) => ({
    partition: row.partition,
    firstOffset: row.first_offset,
    deadLetterHorizon: row.dead_letter_horizon,
    entries: (entries.get(row.partition) ?? []).map(toEntry),
    now: toEntry(row),
  }));
}

function toEntry({ next_offset, counted, dead, max_event_time }: HistoryRow): HistoryEntry {
  return {
    nextOffset: next_offset,
    counted,
    dead,
    maxEventTimeMs: max_event_time?.getTime() ?? null,
  };
}

/** @param fromMs start of the first window; −∞: all. */
function storedCounts(connection: Reader, fromMs: number) {
  return paged<
    Row & {
      readonly window_start: Date;
      readonly window_end: Date;
      readonly lottery_name: string;
      readonly event_type: string;
      readonly event_count: number;
    }
  >(connection, {
    text: `
      select window_start, window_end, lottery_name, event_type, event_count
      from lottery_aggregates
      where window_start >= coalesce(ms_to_time($1), '-infinity')
      order by window_start, lottery_name, event_type`,
    values: [fromMs === -Infinity ? null : fromMs],
  });
}

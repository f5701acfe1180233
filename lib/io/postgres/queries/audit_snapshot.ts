/**
 * Everything that an audit compares, as it was at one moment.
 * @module
 */

import { Audit } from "../../../core/audit/audit.ts";
import type { HistoryEntry, PartitionHistory } from "../../../core/audit/history.ts";
import type { StoredTotals } from "../../../core/audit/ledger_totals.ts";
import { HASHED, IS_INTACT } from "../dead_letters.ts";
import type { Connection, Query, Row } from "../session/connection.ts";
import { compareHours } from "./hour_comparison.ts";

const PAGE_ROWS = 10_000;

export interface SnapshotOptions {
  readonly topic: string;
  readonly windowMs: number;
  /** How many hours that are wrong are named at most. */
  readonly maxHourDifferences: number;
  /** Only windows that start at or after it are recounted; null: everything that can be proved. */
  readonly sinceMs?: number | null;
}

/** An audit that knows what is stored, and has to be given the records up to the stored offsets. */
export async function openAudit(
  connection: Connection,
  { topic, windowMs, maxHourDifferences }: SnapshotOptions,
): Promise<Audit> {
  return await connection.transaction(async () => {
    await connection.query({ text: "set transaction isolation level repeatable read, read only" });
    const audit = new Audit({
      windowMs,
      ...await readTimes(connection),
      ledger: await readLedger(connection),
      hours: await compareHours(connection, { maxDifferences: maxHourDifferences }),
      windowsAhead: await readWindowsAhead(connection),
      abandoned: await readLeft(connection, topic),
    });
    for (const history of await readHistories(connection, topic)) audit.addPartition(history);
    for await (const row of storedCounts(connection)) {
      audit.addStoredCount({
        windowStartMs: row.window_start.getTime(),
        windowEndMs: row.window_end.getTime(),
        lotteryName: row.lottery_name,
        eventType: row.event_type,
        count: row.event_count,
      });
    }
    for await (const letter of storedDeadLetters(connection, topic)) {
      audit.partition(letter.partition)?.addStored({
        offset: letter.kafka_offset,
        reason: letter.reason,
        sha256: letter.sha256,
        isIntact: letter.is_intact,
      });
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

/** Records read are those counted and those kept as dead letters: so it is said, and so it must be found. */
async function readLedger(connection: Connection): Promise<StoredTotals> {
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

async function readTimes(connection: Connection): Promise<{
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

async function readWindowsAhead(connection: Connection): Promise<ReadonlySet<number>> {
  const rows = await connection.query<{ window_start: Date }>({
    text: "select window_start from windows_ahead",
  });
  return new Set(rows.map(({ window_start }) => window_start.getTime()));
}

async function readLeft(
  connection: Connection,
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
  connection: Connection,
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

function storedCounts(connection: Connection) {
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
      order by window_start, lottery_name, event_type`,
  });
}

function storedDeadLetters(connection: Connection, topic: string) {
  return paged<
    Row & {
      readonly partition: number;
      readonly kafka_offset: number;
      readonly reason: string;
      readonly sha256: Uint8Array;
      readonly is_intact: boolean;
    }
  >(connection, {
    text: `
      select partition, kafka_offset, reason, sha256, ${IS_INTACT} as is_intact
      from dead_letters
      cross join ${HASHED}
      where topic = $1
      order by partition, kafka_offset`,
    values: [topic],
  });
}

/** Of all logs: a replayed letter says itself what was counted. */
function replayedLetters(connection: Connection) {
  return paged<
    Row & {
      readonly partition: number;
      readonly kafka_offset: number;
      readonly replayed_value: Uint8Array;
      readonly replayed_window: Date;
    }
  >(connection, {
    text: `
      select
        partition, kafka_offset,
        coalesce(replayed_value, '') as replayed_value,
        case
          when replayed_window >= 'epoch' and replayed_window < '10000-01-01Z' then replayed_window
          else 'epoch'
        end as replayed_window
      from dead_letters
      where replayed_at is not null
      order by topic, partition, kafka_offset`,
  });
}

/** The rows of a query that may be large, a page at a time; within a transaction. */
async function* paged<T extends Row>(connection: Connection, query: Query): AsyncGenerator<T> {
  await connection.query({ ...query, text: `declare page no scroll cursor for ${query.text}` });
  for (;;) {
    const rows = await connection.query<T>({ text: `fetch ${PAGE_ROWS} from page` });
    if (rows.length === 0) break;
    yield* rows;
  }
  await connection.query({ text: "close page" });
}

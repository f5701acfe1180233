/**
 * Counts into PostgreSQL, exactly once: each commit is one call of a function
 * that moves offsets and counts together, or nothing.
 * @module
 */

import { Buffer } from "node:buffer";
import type { DeadLetter } from "../../core/dead_letter.ts";
import type { BatchMark, Commit } from "../../core/pending.ts";
import type { RecordHeader } from "../../core/record_batch.ts";
import { describe, OperatorError } from "../../core/failure.ts";
import { closedUpTo, watermark } from "../../core/watermark.ts";
import type { Position } from "../../core/standings.ts";
import { CommitTooSlowError, FencedError, type Sink } from "../../endpoints.ts";
import type { Connection, Query, Row } from "./connection.ts";
import { explainStatementError } from "./errors.ts";

/** SQLSTATE that `commit_counts` raises, and the table of counts for a window that is deleted. */
const FENCED = "LE001";

/** SQLSTATE of a statement that was given up for its time. */
const STATEMENT_TIMEOUT = "57014";

/** A partition without news for this long, read to its end, does not hold the watermark back. */
const IDLE_MS = 30_000;

/** What a sink has to know of its pipeline. */
export interface PostgresSinkOptions {
  readonly topic: string;
  /** The pipeline's epoch when this worker started. */
  readonly epoch: number;
  /** How far ahead of the clock a stored event time may be. */
  readonly maxFutureMs: number;
  readonly windowMs: number;
  readonly graceMs: number;
}

/** One worker's sink, on a connection that belongs to the caller. */
export class PostgresSink implements Sink {
  readonly #connection: Connection;
  readonly #options: PostgresSinkOptions;

  constructor(connection: Connection, options: PostgresSinkOptions) {
    this.#connection = connection;
    this.#options = options;
  }

  async positions(logStarts: ReadonlyMap<number, number>): Promise<ReadonlyMap<number, Position>> {
    const { topic, epoch } = this.#options;
    const partitions = [...logStarts.keys()];
    await this.#query({
      text: `
        insert into kafka_offsets (topic, partition, epoch, next_offset)
        select $1, partition, epoch, log_start
        from unnest($2::integer[], $3::bigint[]) as missing (partition, log_start), pipeline
        where epoch = $4
        order by partition
        on conflict do nothing`,
      values: [topic, partitions, [...logStarts.values()], epoch],
    });
    const rows = await this.#query<OffsetRow>({
      text: `
        select partition, next_offset, last_batch_offset, last_batch_crc
        from kafka_offsets
        where topic = $1 and partition = any ($2) and epoch = $3`,
      values: [topic, partitions, epoch],
    });
    if (rows.length !== partitions.length) {
      throw new OperatorError(
        "Cannot go on counting: the pipeline was reset while this worker was running. Start it again.",
      );
    }
    return new Map(rows.map((row) => [
      row.partition,
      { nextOffset: row.next_offset, lastBatch: toBatchMark(row) },
    ]));
  }

  async horizon(): Promise<number> {
    const [row] = await this.#query<{ horizon: Date | null }>({
      text: "select aggregates_horizon as horizon from pipeline",
    });
    return row?.horizon?.getTime() ?? -Infinity;
  }

  async commit(commit: Commit): Promise<void> {
    try {
      await this.#query({
        text: `select commit_counts(${PLACEHOLDERS})`,
        values: [
          this.#options.topic,
          this.#options.epoch,
          ...partitionColumns(commit, Date.now() + this.#options.maxFutureMs),
          ...countColumns(commit),
          ...deadLetterColumns(commit),
        ],
      });
    } catch (error) {
      const code = error instanceof Error && "code" in error ? error.code : undefined;
      if (code === FENCED) {
        throw new FencedError(`Cannot commit: ${(error as Error).message}`, { cause: error });
      }
      if (code === STATEMENT_TIMEOUT) {
        // Not as its cause, which alone would be tried again as it is.
        throw new CommitTooSlowError(
          `Cannot commit so much within the statement's time (${describe(error)})`,
        );
      }
      throw error;
    }
  }

  async advanceWatermark(partitionCount: number): Promise<number | null> {
    const rows = await this.#query<
      {
        watermark: Date | null;
        closed_up_to: Date | null;
        max_event_time: Date | null;
        is_idle: boolean | null;
      }
    >({
      text: `
        select
          p.watermark,
          p.closed_up_to,
          o.max_event_time,
          o.caught_up_at > now() - $3::bigint * interval '1 ms'
            and o.updated_at < now() - $3::bigint * interval '1 ms' as is_idle
        from pipeline p
        cross join generate_series(
          0,
          greatest($2::integer - 1, (select max(partition) from kafka_offsets where topic = $1))
        ) as all_partitions (partition)
        left join kafka_offsets o on o.topic = $1 and o.partition = all_partitions.partition`,
      values: [this.#options.topic, partitionCount, IDLE_MS],
    });
    const before = rows[0]?.watermark?.getTime() ?? null;
    const advanced = watermark(
      rows.map(({ max_event_time, is_idle }) => ({
        maxEventTimeMs: max_event_time?.getTime() ?? null,
        isIdle: is_idle ?? false,
      })),
      before,
    );
    if (advanced === null) return null;
    const { windowMs: sizeMs, graceMs, epoch } = this.#options;
    const closed = closedUpTo(advanced, { sizeMs, graceMs });
    if (advanced !== before || closed > (rows[0]!.closed_up_to?.getTime() ?? -Infinity)) {
      await this.#query({
        text: `
          update pipeline
          set
            watermark = greatest(watermark, to_timestamp($1::bigint / 1000.0)),
            closed_up_to = greatest(closed_up_to, to_timestamp($2::bigint / 1000.0))
          where epoch = $3`,
        values: [advanced, closed, epoch],
      });
    }
    return advanced;
  }

  async #query<T extends Row>(query: Query): Promise<T[]> {
    try {
      return await this.#connection.query<T>(query);
    } catch (error) {
      throw explainStatementError(error);
    }
  }
}

interface OffsetRow {
  readonly [column: string]: number | null;
  readonly partition: number;
  readonly next_offset: number;
  readonly last_batch_offset: number | null;
  readonly last_batch_crc: number | null;
}

function toBatchMark({ last_batch_offset, last_batch_crc }: OffsetRow): BatchMark | null {
  return last_batch_offset === null || last_batch_crc === null
    ? null
    : { lastOffset: last_batch_offset, crc: last_batch_crc };
}

/** As many as `commit_counts` has parameters. */
const PLACEHOLDERS = Array.from({ length: 25 }, (_, at) => `$${at + 1}`).join(", ");

function partitionColumns({ partitions }: Commit, latestMs: number): unknown[] {
  return [
    partitions.map(({ partition }) => partition),
    partitions.map(({ expectedOffset }) => expectedOffset),
    partitions.map(({ nextOffset }) => nextOffset),
    partitions.map(({ counted }) => counted),
    partitions.map(({ dead }) => dead),
    // Capped, so that one clock that is wrong cannot close every window.
    partitions.map(({ maxEventTimeMs }) =>
      maxEventTimeMs === null ? null : Math.min(maxEventTimeMs, latestMs)
    ),
    partitions.map(({ lastBatch }) => lastBatch?.lastOffset ?? null),
    partitions.map(({ lastBatch }) => lastBatch?.crc ?? null),
    partitions.map(({ caughtUp }) => caughtUp),
  ];
}

function countColumns({ counts }: Commit): unknown[] {
  return [
    counts.map(({ windowStartMs }) => windowStartMs),
    counts.map(({ lotteryName }) => lotteryName),
    counts.map(({ eventType }) => eventType),
    counts.map(({ count }) => count),
  ];
}

function deadLetterColumns({ deadLetters }: Commit): unknown[] {
  const bytes = new ByteStore();
  const keys = deadLetters.map(({ key }) => bytes.add(key));
  const values = deadLetters.map(({ value }) => bytes.add(value));
  return [
    deadLetters.map(({ partition }) => partition),
    deadLetters.map(({ offset }) => offset),
    deadLetters.map(({ reason }) => reason),
    deadLetters.map(({ recordTimestampMs }) => storable(recordTimestampMs)),
    keys.map(({ start }) => start),
    keys.map(({ length }) => length),
    values.map(({ start }) => start),
    values.map(({ length }) => length),
    deadLetters.map(headersJson),
    bytes.whole(),
  ];
}

/** 9999-12-31T23:59:59.999Z: what a producer says beyond that is no time. */
const GREATEST_TIMESTAMP_MS = 253_402_300_799_999;

function storable(timestampMs: number): number | null {
  return timestampMs >= 0 && timestampMs <= GREATEST_TIMESTAMP_MS ? timestampMs : null;
}

/**
 * Many byte strings as one parameter, which the driver sends as it is. An array of them
 * would be text, of twice the size, and copied several times on its way.
 */
class ByteStore {
  readonly #parts: Uint8Array[] = [];
  #length = 0;

  /** Where the bytes stand, counted from 1 as SQL does; null has no length. */
  add(bytes: Uint8Array | null): { readonly start: number; readonly length: number | null } {
    const start = this.#length + 1;
    if (!bytes) return { start, length: null };
    this.#parts.push(bytes);
    this.#length += bytes.length;
    return { start, length: bytes.length };
  }

  whole(): Buffer {
    return Buffer.concat(this.#parts);
  }
}

/** Headers as JSON that loses nothing: a key that PostgreSQL's text cannot hold is kept as base64. */
function headersJson({ headers }: DeadLetter): string {
  return JSON.stringify(headers.map(({ key, value }: RecordHeader) => ({
    ...headerKey(key),
    value_base64: value && value.toBase64(),
  })));
}

const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function headerKey(key: Uint8Array): { key: string } | { key_base64: string } {
  if (!key.includes(0)) {
    try {
      return { key: UTF8.decode(key) };
    } catch { /* not UTF-8 */ }
  }
  return { key_base64: key.toBase64() };
}

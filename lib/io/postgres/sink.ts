/**
 * Counts into PostgreSQL, exactly once: each commit is one call of a function
 * that moves offsets and counts together, or nothing.
 * @module
 */

import { describe, OperatorError } from "../../core/failure.ts";
import type { Position } from "../../core/offsets/positions.ts";
import type { BatchMark, Commit } from "../../core/windowing/pending.ts";
import { closedUpTo, watermark } from "../../core/windowing/watermark.ts";
import { CommitTooSlowError, FencedError, type Sink } from "../../pipeline/sink.ts";
import { log } from "../logs.ts";
import { commitParameters } from "./commit_parameters.ts";
import type { Connection } from "./session/connection.ts";
import { sqlStateOf } from "./session/errors.ts";

/** SQLSTATE that `commit_counts` raises for an offset that has moved, or a window that is deleted. */
const FENCED = "LE001";

/** SQLSTATE of a statement that was given up for its time. */
const STATEMENT_TIMEOUT = "57014";

/** Clocks that differ by more are said to. */
const APART_MS = 60_000;

/** A partition without news for this long, or without any event, read to its end, does not hold the watermark back. */
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
  /** How far the database's clock was ahead of ours. */
  #databaseAheadMs = 0;

  constructor(connection: Connection, options: PostgresSinkOptions) {
    this.#connection = connection;
    this.#options = options;
  }

  async positions(logStarts: ReadonlyMap<number, number>): Promise<ReadonlyMap<number, Position>> {
    const { topic, epoch } = this.#options;
    const partitions = [...logStarts.keys()];
    await this.#connection.query({
      text: `
        insert into kafka_offsets (topic, partition, epoch, next_offset)
        select $1, partition, epoch, log_start
        from unnest($2::integer[], $3::bigint[]) as missing (partition, log_start), pipeline
        where epoch = $4
        order by partition
        on conflict do nothing`,
      values: [topic, partitions, [...logStarts.values()], epoch],
    });
    const rows = await this.#connection.query<OffsetRow>({
      text: `
        select partition, next_offset, last_batch_offset, last_batch_crc
        from kafka_offsets
        where topic = $1 and partition = any ($2) and epoch = $3`,
      values: [topic, partitions, epoch],
    });
    if (rows.length !== partitions.length) {
      throw new OperatorError(
        "Cannot continue: the pipeline was reset while this worker was running. Restart it.",
      );
    }
    return new Map(rows.map((row) => [
      row.partition,
      { nextOffset: row.next_offset, lastBatch: toBatchMark(row) },
    ]));
  }

  async horizon(): Promise<number> {
    const [row] = await this.#connection.query<{ horizon: Date | null }>({
      text: "select aggregates_horizon as horizon from pipeline",
    });
    return row?.horizon?.getTime() ?? -Infinity;
  }

  async commit(commit: Commit): Promise<void> {
    try {
      const { topic, epoch, maxFutureMs } = this.#options;
      // By the clock that is further behind: one that is ahead must not close every window.
      const latestMs = Math.floor(Date.now() + Math.min(0, this.#databaseAheadMs) + maxFutureMs);
      const values = [topic, epoch, latestMs, ...commitParameters(commit)];
      const placeholders = values.map((_, at) => `$${at + 1}`);
      await this.#connection.query({
        text: `select commit_counts(${placeholders.join(", ")})`,
        values,
      });
    } catch (error) {
      const code = sqlStateOf(error);
      if (code === FENCED) {
        throw new FencedError(`Cannot commit: ${(error as Error).message}`, { cause: error });
      }
      if (code === STATEMENT_TIMEOUT) {
        // Not as its cause, which alone would be tried again as it is.
        throw new CommitTooSlowError(
          `Cannot commit this much within the statement timeout (${describe(error)})`,
        );
      }
      throw error;
    }
  }

  async advanceWatermark(partitionCount: number): Promise<number | null> {
    const rows = await this.#connection.query<
      {
        watermark: Date | null;
        closed_up_to: Date | null;
        max_event_time: Date | null;
        is_idle: boolean | null;
        now: Date;
      }
    >({
      text: `
        select
          p.watermark,
          p.closed_up_to,
          o.max_event_time,
          -- Times in the future are those of a clock that was ahead.
          o.caught_up_at between now() - $3::bigint * interval '1 ms' and now()
            and (
              o.updated_at not between now() - $3::bigint * interval '1 ms' and now()
                or o.max_event_time is null
            ) as is_idle,
          now()
        from pipeline p
        cross join generate_series(
          0,
          greatest($2::integer - 1, (select max(partition) from kafka_offsets where topic = $1))
        ) as all_partitions (partition)
        left join kafka_offsets o on o.topic = $1 and o.partition = all_partitions.partition`,
      values: [this.#options.topic, partitionCount, IDLE_MS],
    });
    if (rows[0]) this.#compareClocks(rows[0].now.getTime() - Date.now());
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
      await this.#connection.query({
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

  /** Says so when the clocks have come apart. */
  #compareClocks(databaseAheadMs: number): void {
    const [was, is] = [this.#databaseAheadMs, databaseAheadMs].map((ms) => Math.abs(ms) > APART_MS);
    this.#databaseAheadMs = databaseAheadMs;
    if (was || !is) return;
    log.warn(
      "PostgreSQL's clock is {seconds} s {direction} the clock of this machine. Correct the wrong one: until then, " +
        "the slower one decides when windows close and rows expire",
      {
        seconds: Math.round(Math.abs(databaseAheadMs) / 1000),
        direction: databaseAheadMs > 0 ? "ahead of" : "behind",
      },
    );
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

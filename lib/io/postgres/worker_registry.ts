/**
 * Which workers run: each renews its row, and only the database's clock counts. One
 * that was killed is found by another, by its row that is no longer renewed.
 * @module
 */

import type { WorkerStatus } from "../../core/offsets/coverage.ts";
import type { Connection, Row } from "./session/connection.ts";

/** How often a worker renews its row. The view `living_workers` bears with three that are missed. */
export const RENEW_MS = 5_000;

/** A worker that stopped renewing its row. */
export interface DeadWorker {
  readonly id: string;
  readonly host: string;
  readonly startedMs: number;
  readonly seenMs: number;
}

/** One worker's entry, and its view of the others. */
export class WorkerRegistry {
  readonly #connection: Connection;
  readonly #id: string;
  readonly #host: string;

  constructor(
    connection: Connection,
    { id, host }: { readonly id: string; readonly host: string },
  ) {
    this.#connection = connection;
    this.#id = id;
    this.#host = host;
  }

  /**
   * Says that this worker runs, and which partitions it counts.
   * @throws {OperatorError} if the database does not allow it.
   */
  async renew(partitions: readonly number[]): Promise<void> {
    await this.#connection.query({
      text: `
        insert into workers as w (id, host, seen_at, steady_since, partitions)
        values ($1, $2, clock_timestamp(), clock_timestamp(), $3)
        on conflict (id) do update set
          seen_at = excluded.seen_at,
          steady_since = case
            when w.seen_at between excluded.seen_at - interval '20 s' and excluded.seen_at
            then w.steady_since
            else excluded.seen_at
          end,
          partitions = excluded.partitions`,
      values: [this.#id, this.#host, partitions],
    });
  }

  async leave(): Promise<void> {
    await this.#connection.query({
      text: "delete from workers where id = $1",
      values: [this.#id],
    });
  }

  /**
   * Workers that have stopped renewing their row; each is reported to one caller only. None before
   * this worker has renewed its own for as long: after an outage or a change of the clock, the
   * others may not have renewed theirs yet.
   */
  async takeDead(): Promise<DeadWorker[]> {
    const rows = await this.#connection.query<
      { id: string; host: string; started_at: Date; seen_at: Date }
    >({
      text: `
        delete from workers
        where seen_at is not null
          and id not in (select id from living_workers)
          and exists (
            select
            from living_workers
            join workers me using (id)
            where me.id = $1 and me.steady_since < clock_timestamp() - interval '20 s'
          )
        returning id, host, started_at, seen_at`,
      values: [this.#id],
    });
    return rows.map(({ id, host, started_at, seen_at }) => ({
      id,
      host,
      startedMs: started_at.getTime(),
      seenMs: seen_at.getTime(),
    }));
  }
}

/** All workers that have not said that they end, alive or not. */
export async function listWorkers(connection: Connection): Promise<WorkerStatus[]> {
  const rows = await connection.query<
    Row & {
      readonly id: string;
      readonly host: string;
      readonly started_at: Date;
      readonly seen_at: Date | null;
      readonly partitions: number[];
      readonly is_alive: boolean;
    }
  >({
    text: `
      select
        id, host, started_at, seen_at, partitions,
        id in (select id from living_workers) as is_alive
      from workers
      order by id`,
  });
  return rows.map((row) => ({
    id: row.id,
    host: row.host,
    startedMs: row.started_at.getTime(),
    seenMs: row.seen_at?.getTime() ?? null,
    isAlive: row.is_alive,
    partitions: row.partitions,
  }));
}

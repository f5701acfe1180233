/**
 * Which workers run. One that was killed cannot say so: another one finds its row,
 * and no session of its name.
 * @module
 */

import type { Connection } from "./connection.ts";

/** A worker that ended without a word. */
export interface DeadWorker {
  readonly id: string;
  readonly host: string;
  /** Milliseconds since the epoch. */
  readonly startedMs: number;
}

/** A worker whose session is missing may be about to connect anew: only after this long it is dead. */
const MISSING_MS = 20_000;

/** One worker's entry, and its view of the others. */
export class WorkerRegistry {
  readonly #connection: Connection;
  readonly #id: string;
  readonly #host: string;
  /** Since when each of the others is missing. */
  #missingSince = new Map<string, number>();

  /** @param id the worker's, which is also the name of its sessions. */
  constructor(
    connection: Connection,
    { id, host }: { readonly id: string; readonly host: string },
  ) {
    this.#connection = connection;
    this.#id = id;
    this.#host = host;
  }

  /** Says that this worker runs. */
  async enter(): Promise<void> {
    await this.#connection.query({
      text: "insert into workers (id, host) values ($1, $2) on conflict do nothing",
      values: [this.#id, this.#host],
    });
  }

  /** Says that this worker ends. */
  async leave(): Promise<void> {
    await this.#connection.query({
      text: "delete from workers where id = $1",
      values: [this.#id],
    });
  }

  /** Workers that have been missing for long enough; each is told to one caller only. */
  async takeDead(nowMs: number): Promise<DeadWorker[]> {
    const missing = await this.#connection.query<{ id: string }>({
      text: `
        select id
        from workers
        where id <> $1
          and not exists (select from pg_stat_activity where application_name = workers.id)`,
      values: [this.#id],
    });
    this.#missingSince = new Map(
      missing.map(({ id }) => [id, this.#missingSince.get(id) ?? nowMs]),
    );
    const dead = [...this.#missingSince].filter(([, since]) => nowMs - since >= MISSING_MS);
    if (dead.length === 0) return [];
    const rows = await this.#connection.query<{ id: string; host: string; started_at: Date }>({
      text: "delete from workers where id = any ($1) returning id, host, started_at",
      values: [dead.map(([id]) => id)],
    });
    return rows.map(({ id, host, started_at }) => ({ id, host, startedMs: started_at.getTime() }));
  }
}

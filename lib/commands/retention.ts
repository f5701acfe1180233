/**
 * What a worker does so that old rows are deleted: a look each minute. Several workers
 * may do so; in the database one step comes after the other.
 * @module
 */

import { describe, isPassing } from "../core/failure.ts";
import { pause } from "../condition.ts";
import type { Config } from "../core/config.ts";
import { log } from "../io/logs.ts";
import { Connection } from "../io/postgres/connection.ts";
import { expireAggregates, expireDeadLetters, type ExpiryStep } from "../io/postgres/retention.ts";

const INTERVAL_MS = 60_000;

/** One kind of rows, and how old they may become. */
interface Expiry {
  readonly what: string;
  readonly retentionDays: number;
  readonly step: (connection: Connection, retentionDays: number) => Promise<ExpiryStep>;
}

/** Deletes what is old until it is disposed. Connects only if there is something to delete. */
export class Retention implements AsyncDisposable {
  readonly #expiries: readonly Expiry[];
  readonly #connection: Connection;
  readonly #ended = new AbortController();
  #running = Promise.resolve();

  constructor(
    { aggregatesRetentionDays, deadLettersRetentionDays }: Config,
    connection: Connection,
  ) {
    this.#connection = connection;
    this.#expiries = [
      { what: "counts", retentionDays: aggregatesRetentionDays, step: expireAggregates },
      { what: "dead letters", retentionDays: deadLettersRetentionDays, step: expireDeadLetters },
    ].flatMap(({ retentionDays, ...expiry }) =>
      retentionDays === undefined ? [] : [{ ...expiry, retentionDays }]
    );
  }

  /** Begins, once the tables are there. */
  begin(): void {
    if (this.#expiries.length > 0) this.#running = this.#loop();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended.abort();
    await this.#connection[Symbol.asyncDispose](); // ends a step that waits
    await this.#running;
  }

  async #loop(): Promise<void> {
    const { signal } = this.#ended;
    let lastProblem = "";
    while (!signal.aborted) {
      try {
        for (const expiry of this.#expiries) await this.#expire(expiry);
        lastProblem = "";
      } catch (error) {
        // A database that is away is told by others; whatever else needs a person, but not at once.
        const problem = describe(error);
        if (!isPassing(error) && problem !== lastProblem) {
          log.error("Cannot delete what is old: {problem}", { problem });
          lastProblem = problem;
        }
      }
      await pause(INTERVAL_MS, signal);
    }
  }

  async #expire({ what, retentionDays, step }: Expiry): Promise<void> {
    let deletedRows = 0;
    let isDone = false;
    while (!isDone && !this.#ended.signal.aborted) {
      const done = await step(this.#connection, retentionDays);
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
}

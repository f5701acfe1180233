/**
 * What the tables need besides commits, in small steps: old rows are deleted, and the hours of a
 * database that had only windows are filled. Several workers may do so: in the database one step
 * comes after the other.
 * @module
 */

import { delay } from "../async/delay.ts";
import type { Config } from "../core/settings/config.ts";
import { isoTime } from "../core/text/time.ts";
import { FailureLog } from "../io/failure_log.ts";
import { log } from "../io/logs.ts";
import { fillHours } from "../io/postgres/hours.ts";
import {
  expireAggregates,
  expireDeadLetters,
  expireHours,
  type ExpiryOptions,
  type ExpiryStep,
} from "../io/postgres/retention.ts";
import type { Connection } from "../io/postgres/session/connection.ts";
import { isAway } from "../io/postgres/session/errors.ts";

const INTERVAL_MS = 60_000;
/** Between two lines of the log about the filling of hours. */
const PROGRESS_MS = 10_000;

/** One kind of rows, and how old they may become. */
interface Expiry {
  readonly what: string;
  readonly retentionDays: number | undefined;
  readonly step: (connection: Connection, options: ExpiryOptions) => Promise<ExpiryStep>;
}

/** Deletes what is older than the settings allow, each minute, and fills hours, until it is disposed. */
export class Upkeep implements AsyncDisposable {
  readonly #expiries: readonly Expiry[];
  readonly #connection: Connection;
  readonly #failures = new FailureLog("Cannot fill hours or delete old rows: {reason}", {
    isSilent: isAway,
  });
  readonly #ended = new AbortController();
  #running = Promise.resolve();
  #areHoursMissing = false;

  /** @param connection for this alone; it is closed with it. */
  constructor(
    { aggregatesRetentionDays, hoursRetentionDays, deadLettersRetentionDays }: Config,
    connection: Connection,
  ) {
    this.#expiries = [
      { what: "counts", retentionDays: aggregatesRetentionDays, step: expireAggregates },
      { what: "hours", retentionDays: hoursRetentionDays, step: expireHours },
      { what: "dead letters", retentionDays: deadLettersRetentionDays, step: expireDeadLetters },
    ];
    this.#connection = connection;
  }

  /** Starts; the tables must exist. */
  begin({ areHoursMissing }: { readonly areHoursMissing: boolean }): void {
    this.#areHoursMissing = areHoursMissing;
    this.#running = this.#loop(this.#ended.signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended.abort();
    await this.#connection[Symbol.asyncDispose](); // ends a step that waits
    await this.#running;
  }

  async #loop(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        for (const expiry of this.#expiries) await this.#expire(expiry, signal);
        if (this.#areHoursMissing) await this.#fillHours(signal);
        this.#failures.succeeded();
      } catch (error) {
        this.#failures.failed(error);
      }
      await delay(INTERVAL_MS, signal);
    }
  }

  /** Once for each database: from then on commits keep the hours. */
  async #fillHours(signal: AbortSignal): Promise<void> {
    const startedAt = performance.now();
    let toldAt = -Infinity;
    while (!signal.aborted) {
      const stepStartedAt = performance.now();
      const filledFromMs = await fillHours(this.#connection);
      if (filledFromMs === null) {
        this.#areHoursMissing = false;
        log.info("The hours are filled", { seconds: secondsSince(startedAt) });
        return;
      }
      if (performance.now() - toldAt >= PROGRESS_MS) {
        toldAt = performance.now();
        log.info(
          "Filling the hours of a database that had none: done back to {time}. " +
            "Counting continues, and what is read is right meanwhile",
          { time: isoTime(filledFromMs) },
        );
      }
      await delay(performance.now() - stepStartedAt, signal); // commits get half of the time
    }
  }

  async #expire({ what, retentionDays, step }: Expiry, signal: AbortSignal): Promise<void> {
    if (retentionDays === undefined) return;
    let deletedRows = 0;
    let isDone = false;
    while (!isDone && !signal.aborted) {
      const done = await step(this.#connection, { retentionDays, nowMs: Date.now() });
      deletedRows += done.deletedRows;
      isDone = done.isDone;
    }
    if (deletedRows === 0) return;
    log.info("Deleted {deletedRows} rows of {what} older than {retentionDays} days", {
      deletedRows,
      what,
      retentionDays,
    });
  }
}

function secondsSince(startedAt: number): number {
  return Math.round((performance.now() - startedAt) / 1000);
}

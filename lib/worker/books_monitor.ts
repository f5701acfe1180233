/**
 * Whether the hours hold what was counted, checked each minute. They always do, unless somebody has
 * changed a table by hand, or the database has lost something: `audit` names it.
 * @module
 */

import { delay } from "../async/delay.ts";
import type { Alert } from "../core/alert.ts";
import { booksProblem } from "../core/views/books.ts";
import { FailureLog } from "../io/failure_log.ts";
import { log } from "../io/logs.ts";
import { readBooksDifference } from "../io/postgres/queries/watch/books.ts";
import type { Connection } from "../io/postgres/session/connection.ts";
import { isAway } from "../io/postgres/session/errors.ts";
import type { WorkerState } from "../observers/worker_state.ts";
import type { WorkerAlerts } from "./alerts.ts";

export interface BooksMonitorOptions {
  /** For this alone, so that commits and the page do not wait; it is closed with it. */
  readonly connection: Connection;
  readonly state: WorkerState;
  readonly alerts: Pick<WorkerAlerts, "lasts" | "over"> | null;
  /** Between two checks, if they are quick. */
  readonly intervalMs?: number;
}

const INTERVAL_MS = 60_000;
/** A check that takes long is repeated less often. */
const MAX_SHARE = 0.01;

/** Checks from `begin` until it is disposed. */
export class BooksMonitor implements AsyncDisposable {
  readonly #options: BooksMonitorOptions;
  readonly #failures = new FailureLog("Cannot check whether the books balance: {reason}", {
    isSilent: isAway,
  });
  readonly #ended = new AbortController();
  #checking = Promise.resolve();
  /** Since when they differ; null if they did not at the last check. */
  #wrongSinceMs: number | null = null;

  constructor(options: BooksMonitorOptions) {
    this.#options = options;
  }

  /** Starts; the tables must exist. */
  begin(): void {
    this.#checking = this.#checkPeriodically();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended.abort();
    await this.#options.connection[Symbol.asyncDispose](); // ends a check that waits
    await this.#checking;
  }

  async #checkPeriodically(): Promise<void> {
    const { connection, intervalMs = INTERVAL_MS, state } = this.#options;
    const { signal } = this.#ended;
    let tookMs = 0;
    for (;;) {
      await delay(restMs({ tookMs, intervalMs }), signal);
      if (signal.aborted) return;
      const startedAt = performance.now();
      try {
        this.#saw(await readBooksDifference(connection));
        this.#failures.succeeded();
      } catch (error) { // nothing is concluded; the pipeline reports a database that is away
        state.booksDifference = null;
        this.#failures.failed(error);
      }
      tookMs = performance.now() - startedAt;
    }
  }

  #saw(difference: number | null): void {
    const { state, alerts } = this.#options;
    state.booksDifference = difference;
    if (difference === null) return;
    if (difference !== 0) {
      if (this.#wrongSinceMs === null) log.error(`${booksProblem(difference)}.`, { difference });
      this.#wrongSinceMs ??= Date.now();
      alerts?.lasts(doNotBalance(difference, this.#wrongSinceMs));
    } else if (this.#wrongSinceMs !== null) {
      log.info("The books balance again: the hours hold what was counted");
      this.#wrongSinceMs = null;
      alerts?.over("books_wrong", balanceAgain);
    }
  }
}

/** Time until the next check. */
export function restMs(
  { tookMs, intervalMs }: { readonly tookMs: number; readonly intervalMs: number },
): number {
  return Math.max(intervalMs, tookMs / MAX_SHARE);
}

function doNotBalance(difference: number, sinceMs: number): Alert {
  return {
    cause: "books_wrong",
    title: "The books do not balance",
    error: new Error(booksProblem(difference)),
    sinceMs,
    doing: "It keeps counting: what it adds is right.",
    advice:
      "Run `audit`: it names the rows that are wrong. If only hours are, `call rebuild_hours()` makes them right. Find out who changed the tables, or what the database has lost.",
  };
}

function balanceAgain(sinceMs: number): Alert {
  return {
    cause: "books_wrong",
    title: "Recovered: the books balance again",
    sinceMs,
    doing: "It is counting.",
    advice: "Run `audit`, which proves more than sums.",
  };
}

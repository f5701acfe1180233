/**
 * Watches for lotteries that are quiet, and tells what has changed. The database judges, so that
 * workers agree and a restart forgets nothing; the worker that counts partition 0 asks it.
 * @module
 */

import { delay, withTimeout } from "../async/delay.ts";
import type { Alert } from "../core/alert.ts";
import { describe } from "../core/failure.ts";
import { quietAlerts } from "../core/quiet.ts";
import type { QuietConfig } from "../core/settings/config.ts";
import { FailureLog } from "../io/failure_log.ts";
import { log } from "../io/logs.ts";
import { judgeQuiet } from "../io/postgres/quiet.ts";
import type { Connection } from "../io/postgres/session/connection.ts";
import { isAway } from "../io/postgres/session/errors.ts";
import type { WorkerState } from "../observers/worker_state.ts";

export interface QuietWatchOptions {
  readonly quiet: QuietConfig;
  readonly windowMs: number;
  readonly graceMs: number;
  /** For this alone; it is closed with it. */
  readonly connection: Connection;
  readonly state: WorkerState;
  /** Called for each change, by one worker only. */
  readonly onChange: (alert: Alert) => void;
}

const INTERVAL_MS = 10_000;
/** Of the time; so large tables are judged less often. */
const MAX_SHARE_OF_TIME = 0.05;
/** How much later than they should windows may be closed: they are judged all the same. */
const LATE_MS = 5 * 60_000;
/** How long a judgement in progress may delay the shutdown: nobody else is told what it finds. */
const STOP_TIMEOUT_MS = 1_000;

/** Judges again and again from `begin` until it is disposed. */
export class QuietWatch implements AsyncDisposable {
  readonly #options: QuietWatchOptions;
  readonly #failures = new FailureLog("Cannot judge which lotteries are quiet: {reason}", {
    isSilent: isAway,
  });
  readonly #ended = new AbortController();
  #running = Promise.resolve();

  constructor(options: QuietWatchOptions) {
    this.#options = options;
  }

  /** Starts; the tables must exist. */
  begin(): void {
    this.#running = this.#loop(this.#ended.signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended.abort();
    await withTimeout(STOP_TIMEOUT_MS, this.#running);
    await this.#options.connection[Symbol.asyncDispose](); // ends a judgement that waits
    await this.#running;
  }

  async #loop(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const startedAt = performance.now();
      try {
        await this.#judge();
        this.#failures.succeeded();
      } catch (error) {
        this.#failures.failed(error);
      }
      const tookMs = performance.now() - startedAt;
      await delay(Math.max(INTERVAL_MS, tookMs / MAX_SHARE_OF_TIME), signal);
    }
  }

  async #judge(): Promise<void> {
    const { quiet, windowMs, graceMs, connection, state, onChange } = this.#options;
    if (!state.assignedPartitions?.includes(0)) return;
    const maxDelayMs = windowMs + graceMs + LATE_MS;
    const changes = await judgeQuiet(connection, { ...quiet, maxDelayMs });
    for (const each of quietAlerts(changes, quiet)) {
      const { title, error } = each;
      if (error === undefined) log.info("{title}", { title });
      else log.warn("{title}: {reason}", { title, reason: describe(error) });
      onChange(each);
    }
  }
}

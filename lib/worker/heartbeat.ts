/**
 * A worker's entry among the workers of its database: renewed while it runs, removed when it ends.
 * Entries of others that are no longer renewed are reported.
 * @module
 */

import { delay, withTimeout } from "../async/delay.ts";
import { FailureLog } from "../io/failure_log.ts";
import { log } from "../io/logs.ts";
import type { Connection } from "../io/postgres/session/connection.ts";
import { type DeadWorker, RENEW_MS, WorkerRegistry } from "../io/postgres/worker_registry.ts";
import type { WorkerState } from "../observers/worker_state.ts";

export interface HeartbeatOptions {
  /** Used for nothing else, so that no other query can make a running worker seem dead; closed with it. */
  readonly connection: Connection;
  readonly workerId: string;
  readonly host: string;
  readonly state: WorkerState;
  /** Called for each worker that died, by one worker only. */
  readonly onDeath: (worker: DeadWorker) => void;
}

/** How long removing the entry may delay the end. */
const LEAVE_TIMEOUT_MS = 2_000;

/** Beats from `begin` until it is disposed. */
export class Heartbeat implements AsyncDisposable {
  readonly #options: HeartbeatOptions;
  readonly #registry: WorkerRegistry;
  readonly #failures = new FailureLog("Cannot check which workers are running: {reason}");
  readonly #ended = new AbortController();
  #renewing: Promise<void> | null = null;

  constructor(options: HeartbeatOptions) {
    this.#options = options;
    const { connection, workerId: id, host } = options;
    this.#registry = new WorkerRegistry(connection, { id, host });
  }

  /** Adds the entry, once the tables exist; resolves when all can see it. */
  async begin(): Promise<void> {
    this.#renewing ??= Promise.resolve(); // it may be stored although its answer is lost
    await this.#registry.renew(this.#options.state.countedPartitions);
    this.#renewing = this.#renew();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended.abort();
    // If the database does not accept it, another worker will report this one as dead.
    if (this.#renewing) await withTimeout(LEAVE_TIMEOUT_MS, this.#leave(this.#renewing));
    await this.#options.connection[Symbol.asyncDispose]();
  }

  async #leave(renewing: Promise<void>): Promise<void> {
    await renewing;
    await this.#registry.leave();
  }

  async #renew(): Promise<void> {
    const { signal } = this.#ended;
    for (;;) {
      await delay(RENEW_MS, signal);
      if (signal.aborted) return;
      try {
        await this.#registry.renew(this.#options.state.countedPartitions);
        for (const worker of await this.#registry.takeDead()) {
          const { id, host } = worker;
          log.warn("Worker {id} on {host} died: its entry is no longer renewed", { id, host });
          this.#options.onDeath(worker);
        }
        this.#failures.succeeded();
      } catch (error) { // the pipeline reports a database that is away
        this.#failures.failed(error);
      }
    }
  }
}

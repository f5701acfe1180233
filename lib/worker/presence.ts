/**
 * A worker among the workers of its database: it renews its entry as long as it lives, takes it
 * back when it ends, and notices others that ended without a word.
 * @module
 */

import { delay, withTimeout } from "../async/delay.ts";
import { FailureLog } from "../io/failure_log.ts";
import { log } from "../io/logs.ts";
import type { Connection } from "../io/postgres/session/connection.ts";
import { type DeadWorker, RENEW_MS, WorkerRegistry } from "../io/postgres/worker_registry.ts";
import type { WorkerState } from "../observers/worker_state.ts";

export interface PresenceOptions {
  /** For this alone, so that no other question can make a living worker seem dead; closed with it. */
  readonly connection: Connection;
  readonly workerId: string;
  readonly host: string;
  readonly state: WorkerState;
  /** Told of each worker that ended without a word, unless another one is. */
  readonly onDeath: (worker: DeadWorker) => void;
}

/** How long taking the entry back may hold up the end. */
const LEAVE_TIMEOUT_MS = 2_000;

/** The presence of one worker, from `begin` until it is disposed. */
export class Presence implements AsyncDisposable {
  readonly #options: PresenceOptions;
  readonly #registry: WorkerRegistry;
  readonly #failures = new FailureLog("Cannot see whether workers live: {reason}");
  readonly #ended = new AbortController();
  #renewing: Promise<void> | null = null;

  constructor(options: PresenceOptions) {
    this.#options = options;
    const { connection, workerId: id, host } = options;
    this.#registry = new WorkerRegistry(connection, { id, host });
  }

  /** Enters, once the tables are there; resolves when everyone can see it. */
  async begin(): Promise<void> {
    this.#renewing ??= Promise.resolve(); // it may be stored although its answer is lost
    await this.#registry.renew(this.#options.state.countedPartitions);
    this.#renewing = this.#renew();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended.abort();
    // Where the database does not take it, another worker will tell of this one's end.
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
          log.warn("Worker {id} on {host} ended without a word", { id, host });
          this.#options.onDeath(worker);
        }
        this.#failures.succeeded();
      } catch (error) { // if the database is away, others tell
        this.#failures.failed(error);
      }
    }
  }
}

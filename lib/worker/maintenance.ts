/**
 * What a worker does now and then beside counting. Several workers may do the same: in the
 * database one step comes after the other.
 * @module
 */

import { delay } from "../async/delay.ts";
import { describe, UnavailableError } from "../core/failure.ts";
import { log } from "../io/logs.ts";
import type { Connection } from "../io/postgres/session/connection.ts";
import { StatementAbortedError } from "../io/postgres/session/errors.ts";

export interface MaintenanceOptions {
  /** What the log calls it, as "delete what is old". */
  readonly name: string;
  readonly intervalMs: number;
  /** For chores alone; it is closed with them. */
  readonly connection: Connection;
  /** Does what there is to do, in steps between which it looks at the signal. */
  readonly work: (connection: Connection, signal: AbortSignal) => Promise<void>;
}

/** Does its work again and again, until it is disposed. */
export class Maintenance implements AsyncDisposable {
  readonly #options: MaintenanceOptions;
  readonly #ended = new AbortController();
  #running = Promise.resolve();

  constructor(options: MaintenanceOptions) {
    this.#options = options;
  }

  /** Begins, once the tables are there. */
  begin(): void {
    this.#running = this.#loop();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended.abort();
    await this.#options.connection[Symbol.asyncDispose](); // ends a step that waits
    await this.#running;
  }

  async #loop(): Promise<void> {
    const { name, intervalMs, connection, work } = this.#options;
    const { signal } = this.#ended;
    let lastProblem = "";
    while (!signal.aborted) {
      try {
        await work(connection, signal);
        lastProblem = "";
      } catch (error) {
        // Others report a database that is away. Anything else may require an operator, but not at once.
        const isAway = error instanceof UnavailableError &&
          !(error instanceof StatementAbortedError);
        const problem = describe(error);
        if (!isAway && problem !== lastProblem) {
          log.error("Cannot {name}: {problem}", { name, problem });
          lastProblem = problem;
        }
      }
      await delay(intervalMs, signal);
    }
  }
}

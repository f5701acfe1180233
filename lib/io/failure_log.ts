/**
 * Failures of retried background work: each is logged once, unless its system is away, which the
 * pipeline reports.
 * @module
 */

import { describe, isPassing } from "../core/failure.ts";
import { log } from "./logs.ts";
import { StatementAbortedError } from "./postgres/session/errors.ts";

export class FailureLog {
  readonly #message: string;
  #lastReason: string | null = null;

  /** @param message as it is logged, with a placeholder `{reason}`. */
  constructor(message: string) {
    this.#message = message;
  }

  /** Logs the failure, unless its system is away or it was logged before. */
  failed(error: unknown): void {
    if (isPassing(error) && !(error instanceof StatementAbortedError)) return;
    const reason = describe(error);
    if (reason === this.#lastReason) return;
    this.#lastReason = reason;
    log.error(this.#message, { reason });
  }

  /** From now on, the next failure is logged again. */
  succeeded(): void {
    this.#lastReason = null;
  }
}

/**
 * Failures of retried background work: one that requires an operator is logged once.
 * @module
 */

import { describe, isPassing } from "../core/failure.ts";
import { log } from "./logs.ts";

export class FailureLog {
  readonly #message: string;
  #lastReason: string | null = null;

  /** @param message as it is logged, with a placeholder `{reason}`. */
  constructor(message: string) {
    this.#message = message;
  }

  /** Logs the failure, unless it passes by itself or was logged before. */
  failed(error: unknown): void {
    if (isPassing(error)) return;
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

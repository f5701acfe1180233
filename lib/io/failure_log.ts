/**
 * Failures of retried background work: each is logged once, unless it passes by itself; the pipeline
 * reports a system that is away.
 * @module
 */

import { describe, isPassing } from "../core/failure.ts";
import { log } from "./logs.ts";

export interface FailureLogOptions {
  /** Failures that are not logged; by default those that pass by themselves. */
  readonly isSilent?: (error: unknown) => boolean;
}

export class FailureLog {
  readonly #message: string;
  readonly #isSilent: (error: unknown) => boolean;
  #lastReason: string | null = null;

  /** @param message as it is logged, with a placeholder `{reason}`. */
  constructor(message: string, { isSilent = isPassing }: FailureLogOptions = {}) {
    this.#message = message;
    this.#isSilent = isSilent;
  }

  /** Logs the failure, unless it is silent or was logged before. */
  failed(error: unknown): void {
    if (this.#isSilent(error)) return;
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

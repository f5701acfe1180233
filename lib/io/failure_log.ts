/**
 * What is tried again and again in the background: a failure that needs a person is said once.
 * @module
 */

import { describe, isPassing } from "../core/failure.ts";
import { log } from "./logs.ts";

/** What cannot be done, until it could be again. */
export class FailureLog {
  readonly #message: string;
  #said: string | null = null;

  /** @param message as it is logged, with a place for `{reason}`. */
  constructor(message: string) {
    this.#message = message;
  }

  /** Says so, unless it passes by itself or was said before. */
  failed(error: unknown): void {
    if (isPassing(error)) return;
    const reason = describe(error);
    if (reason === this.#said) return;
    this.#said = reason;
    log.error(this.#message, { reason });
  }

  /** The next failure is news again. */
  succeeded(): void {
    this.#said = null;
  }
}

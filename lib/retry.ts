/**
 * Trying again for as long as a failure may pass by itself.
 * @module
 */

import { backoffMs, type BackoffOptions } from "./core/backoff.ts";
import { isPassing } from "./core/failure.ts";
import { pause } from "./condition.ts";

export interface RetryOptions extends BackoffOptions {
  /** Ends the tries: the last failure is thrown. */
  readonly signal: AbortSignal;
  /** Told of each failed try that will be repeated. */
  readonly onFailure?: (error: unknown, attempt: number) => void;
}

/**
 * Result of the first try that succeeds. `action` is given the number of tries before.
 * @throws what `action` threw, if that needs a person or the signal has aborted.
 */
export async function retry<T>(
  action: (attempt: number) => Promise<T>,
  { signal, onFailure, ...backoff }: RetryOptions,
): Promise<T> {
  for (let attempt = 0;; attempt++) {
    try {
      return await action(attempt);
    } catch (error) {
      if (signal.aborted || !isPassing(error)) throw error;
      onFailure?.(error, attempt);
      await pause(backoffMs(attempt, { ...backoff, random: Math.random() }), signal);
      if (signal.aborted) throw error;
    }
  }
}

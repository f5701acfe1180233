/**
 * Retries while a failure is transient.
 * @module
 */

import { isPassing, UnavailableError } from "../core/failure.ts";
import { backOff, type BackoffOptions } from "./backoff.ts";

export interface RetryOptions extends BackoffOptions {
  /** Ends the attempts, and the wait for a pending one. */
  readonly signal: AbortSignal;
  /** Called for each failed attempt that will be repeated. */
  readonly onFailure?: (error: unknown) => void;
}

/**
 * Result of the first attempt that succeeds.
 * @throws what `action` threw, if that requires an operator.
 * @throws {UnavailableError} if the signal aborts first; the outcome of a pending attempt is unknown.
 */
export async function retry<T>(
  action: () => Promise<T>,
  { signal, onFailure, ...backoff }: RetryOptions,
): Promise<T> {
  for (let attempt = 0;; attempt++) {
    try {
      return await unlessAborted(action(), signal);
    } catch (error) {
      if (signal.aborted || !isPassing(error)) throw error;
      onFailure?.(error);
      await backOff(attempt, backoff, signal);
      if (signal.aborted) throw error;
    }
  }
}

/** Rejects as soon as the signal aborts, whatever the promise does. */
async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  const aborted = Promise.withResolvers<never>();
  const abort = () =>
    aborted.reject(new UnavailableError("abandoned, because the program is stopping"));
  if (signal.aborted) abort();
  signal.addEventListener("abort", abort, { once: true });
  try {
    return await Promise.race([promise, aborted.promise]);
  } finally {
    signal.removeEventListener("abort", abort);
    promise.catch(() => {}); // no longer awaited
  }
}

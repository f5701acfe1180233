/**
 * Trying again for as long as a failure may pass by itself.
 * @module
 */

import { isPassing, UnavailableError } from "../core/failure.ts";
import { backoffMs, type BackoffOptions } from "./backoff.ts";
import { delay } from "./delay.ts";

export interface RetryOptions extends BackoffOptions {
  /** Ends the tries, and the waiting for one that is under way. */
  readonly signal: AbortSignal;
  /** Told of each failed try that will be repeated. */
  readonly onFailure?: (error: unknown) => void;
}

/**
 * Result of the first try that succeeds.
 * @throws what `action` threw, if that needs a person.
 * @throws {UnavailableError} if the signal aborts first; what a try under way does then is unknown.
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
      await delay(backoffMs(attempt, { ...backoff, random: Math.random() }), signal);
      if (signal.aborted) throw error;
    }
  }
}

/** Rejects as soon as the signal aborts, whatever the promise does. */
async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  const aborted = Promise.withResolvers<never>();
  const abort = () =>
    aborted.reject(new UnavailableError("given up, because the end was asked for"));
  if (signal.aborted) abort();
  signal.addEventListener("abort", abort, { once: true });
  try {
    return await Promise.race([promise, aborted.promise]);
  } finally {
    signal.removeEventListener("abort", abort);
    promise.catch(() => {}); // nobody waits for it any more
  }
}

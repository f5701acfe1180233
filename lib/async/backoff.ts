/**
 * How long to wait before another attempt.
 * @module
 */

import { delay } from "./delay.ts";

export interface BackoffOptions {
  readonly firstMs: number;
  readonly maxMs: number;
}

/** Doubling from `firstMs` up to `maxMs`, spread over its upper half by `random` in [0, 1). */
export function backoffMs(
  attempt: number,
  { firstMs, maxMs, random }: BackoffOptions & { readonly random: number },
): number {
  const full = Math.min(maxMs, firstMs * 2 ** Math.min(attempt, 30));
  return full / 2 + random * full / 2;
}

/** Resolves when it is time for another attempt, or when the signal aborts. */
export async function backOff(
  attempt: number,
  options: BackoffOptions,
  signal?: AbortSignal,
): Promise<void> {
  await delay(backoffMs(attempt, { ...options, random: Math.random() }), signal);
}

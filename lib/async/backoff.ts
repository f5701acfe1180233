/**
 * How long to wait before another try.
 * @module
 */

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

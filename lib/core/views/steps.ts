/**
 * Lengths of the buckets that counts are joined into, by the names that requests give them.
 * @module
 */

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** Steps with their lengths in milliseconds. A day counts as 24 hours, whatever its length in a time zone. */
export const STEPS: ReadonlyMap<string, number> = new Map([
  ["1m", MINUTE_MS],
  ["5m", 5 * MINUTE_MS],
  ["15m", 15 * MINUTE_MS],
  ["1h", HOUR_MS],
  ["6h", 6 * HOUR_MS],
  ["1d", DAY_MS],
  ["7d", 7 * DAY_MS],
]);

/** The name of a step, such as "15m"; in seconds if it has none, as a window may have. */
export function stepName(stepMs: number): string {
  const named = [...STEPS].find(([, ms]) => ms === stepMs);
  return named?.[0] ?? `${stepMs / SECOND_MS}s`;
}

/** The shortest step that cuts a range into at most `maxBuckets`, else the longest. */
export function fittingStep(rangeMs: number, maxBuckets: number): number {
  const steps = [...STEPS.values()];
  return steps.find((stepMs) => rangeMs / stepMs <= maxBuckets) ?? steps.at(-1)!;
}

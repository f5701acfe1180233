/**
 * Counts of closed windows, as consumers of the output topic get them.
 * @module
 */

import type { WindowCount } from "./window.ts";

/** A count of a closed window. It may change once more, when an event is late; then its revision is greater. */
export interface ClosedCount extends WindowCount {
  readonly windowEndMs: number;
  /** Greater than that of every earlier value of the same window, lottery and type. */
  readonly revision: number;
}

/** Raised when a field of the value changes its meaning; new fields do not raise it. */
const VALUE_VERSION = 1;

/**
 * Key and value of its record. Two records have one key if and only if they are about the same
 * window, lottery and type: then the one with the greater revision counts.
 */
export function closedCountRecord(
  { windowStartMs, windowEndMs, lotteryName, eventType, count, revision }: ClosedCount,
): { readonly key: string; readonly value: string } {
  const windowStart = new Date(windowStartMs).toISOString();
  return {
    key: JSON.stringify([windowStart, lotteryName, eventType]),
    value: JSON.stringify({
      version: VALUE_VERSION,
      revision,
      window_start: windowStart,
      window_end: new Date(windowEndMs).toISOString(),
      lottery_name: lotteryName,
      event_type: eventType,
      event_count: count,
    }),
  };
}

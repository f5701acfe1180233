/**
 * Counts of closed windows, as consumers of the output topic receive them.
 * @module
 */

import { isoTime } from "../text/time.ts";
import type { WindowCount } from "./window.ts";

/** A count of a closed window. A late event changes it once more; then its revision is greater. */
export interface ClosedCount extends WindowCount {
  readonly windowEndMs: number;
  /** Greater than that of every earlier value of the same window, lottery and type. */
  readonly revision: number;
}

export type CountKey = Omit<WindowCount, "count">;

/** A record of the output, read back; its count is null if that no longer exists. */
export interface PublishedCount {
  readonly key: CountKey;
  readonly count: number | null;
}

/** Raised when a field of the value changes its meaning; new fields do not raise it. */
const VALUE_VERSION = 1;

/**
 * Key and value of its record. Two records have one key if and only if they are about the same
 * window, lottery and type: then the one with the greater revision is valid.
 */
export function closedCountRecord(
  { windowStartMs, windowEndMs, lotteryName, eventType, count, revision }: ClosedCount,
): { readonly key: string; readonly value: string } {
  return {
    ...removedCountRecord({ windowStartMs, lotteryName, eventType }),
    value: JSON.stringify({
      version: VALUE_VERSION,
      revision,
      window_start: isoTime(windowStartMs),
      window_end: isoTime(windowEndMs),
      lottery_name: lotteryName,
      event_type: eventType,
      event_count: count,
    }),
  };
}

/** Key and value of the record that retracts a count. */
export function removedCountRecord(
  { windowStartMs, lotteryName, eventType }: CountKey,
): { readonly key: string; readonly value: null } {
  const windowStart = isoTime(windowStartMs);
  return { key: JSON.stringify([windowStart, lotteryName, eventType]), value: null };
}

/** The count of a record of the output; null for a record that is not one of ours. */
export function parseClosedCount(key: string, value: string | null): PublishedCount | null {
  try {
    const [windowStart, lotteryName, eventType] = JSON.parse(key);
    const windowStartMs = Date.parse(windowStart);
    const count = value === null ? null : JSON.parse(value).event_count;
    const isOurs = typeof lotteryName === "string" && typeof eventType === "string" &&
      !Number.isNaN(windowStartMs) && (count === null || Number.isSafeInteger(count));
    return isOurs ? { key: { windowStartMs, lotteryName, eventType }, count } : null;
  } catch {
    return null;
  }
}

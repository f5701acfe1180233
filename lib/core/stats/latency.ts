/**
 * How long records have waited until they were counted.
 * @module
 */

import type { Commit } from "../windowing/pending.ts";

/** What a commit's latency is measured by. */
export interface LatencyClock {
  /** When it was stored, in milliseconds since the epoch. */
  readonly nowMs: number;
  /** Older records are ignored: in a generated log their timestamps are not the time of writing; 0 for a real log. */
  readonly sinceMs: number;
}

/** Milliseconds from the timestamp of each record batch to the commit; batches without a meaningful timestamp are left out. */
export function latenciesOf(
  { batchTimestampsMs }: Pick<Commit, "batchTimestampsMs">,
  { nowMs, sinceMs }: LatencyClock,
): number[] {
  return batchTimestampsMs
    .filter((timestampMs) => timestampMs >= sinceMs && timestampMs <= nowMs)
    .map((timestampMs) => nowMs - timestampMs);
}

/**
 * How long records have waited until they were counted.
 * @module
 */

import type { Commit } from "../windowing/pending.ts";

/** What a commit's latency is measured by. */
export interface LatencyClock {
  /** When it was stored, in milliseconds since the epoch. */
  readonly nowMs: number;
  /** Records of before were not written when their timestamps say, as in a log that is made up; 0 for a real one. */
  readonly sinceMs: number;
}

/** Milliseconds from the timestamp of each record batch to the commit; batches whose timestamps say nothing of it are left out. */
export function latenciesOf(
  { batchTimestampsMs }: Pick<Commit, "batchTimestampsMs">,
  { nowMs, sinceMs }: LatencyClock,
): number[] {
  return batchTimestampsMs
    .filter((timestampMs) => timestampMs >= sinceMs && timestampMs <= nowMs)
    .map((timestampMs) => nowMs - timestampMs);
}

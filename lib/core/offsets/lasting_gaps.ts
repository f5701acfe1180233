/**
 * Which partitions have been uncounted for longer than a rebalance takes.
 * @module
 */

import type { UncountedPartition, UncountedReason } from "./coverage.ts";

export interface LastingGapsOptions {
  /** A shorter time, for this reason, is not reported. */
  readonly lastingMs: (reason: UncountedReason) => number;
  /** After this long without an update nothing is known of the time between. */
  readonly gapMs: number;
}

/** An uncounted partition, and since when. The clock is the caller's. */
export interface LastingGap extends UncountedPartition {
  readonly sinceMs: number;
}

/** Remembers since when each partition is uncounted. */
export class LastingGaps {
  readonly #options: LastingGapsOptions;
  #gaps: readonly LastingGap[] = [];
  #updatedMs = -Infinity;

  constructor(options: LastingGapsOptions) {
    this.#options = options;
  }

  /** Those that last, given those that are uncounted now. */
  update(uncounted: readonly UncountedPartition[], nowMs: number): LastingGap[] {
    const { lastingMs, gapMs } = this.#options;
    const isLasting = (atMs: number) => ({ reason, sinceMs }: LastingGap) =>
      atMs - sinceMs >= lastingMs(reason);
    const known = nowMs - this.#updatedMs <= gapMs
      ? this.#gaps
      : this.#gaps.filter(isLasting(this.#updatedMs));
    const before = new Map(known.map((gap) => [gap.partition, gap]));
    this.#updatedMs = nowMs;
    this.#gaps = uncounted.map((each) => ({
      ...each,
      sinceMs: before.get(each.partition)?.sinceMs ?? nowMs,
    }));
    return this.#gaps.filter(isLasting(nowMs));
  }
}

/**
 * Which partitions have been uncounted for so long that it is no rebalance.
 * @module
 */

import type { UncountedPartition, UncountedReason } from "./coverage.ts";

export interface LastingGapsOptions {
  /** What is uncounted for less, for this reason, is not told. */
  readonly lastingMs: (reason: UncountedReason) => number;
  /** After so long without a look nothing is known of the time between. */
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
  #lookedMs = -Infinity;

  constructor(options: LastingGapsOptions) {
    this.#options = options;
  }

  /** Those that last, after a look that has found these. */
  look(uncounted: readonly UncountedPartition[], nowMs: number): LastingGap[] {
    const { lastingMs, gapMs } = this.#options;
    const isLasting = (atMs: number) => ({ reason, sinceMs }: LastingGap) =>
      atMs - sinceMs >= lastingMs(reason);
    const known = nowMs - this.#lookedMs <= gapMs
      ? this.#gaps
      : this.#gaps.filter(isLasting(this.#lookedMs));
    const before = new Map(known.map((gap) => [gap.partition, gap]));
    this.#lookedMs = nowMs;
    this.#gaps = uncounted.map((each) => ({
      ...each,
      sinceMs: before.get(each.partition)?.sinceMs ?? nowMs,
    }));
    return this.#gaps.filter(isLasting(nowMs));
  }
}

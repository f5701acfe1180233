/**
 * Which partitions have been uncounted for so long that it is no rebalance.
 * @module
 */

import type { UncountedPartition } from "./coverage.ts";

export interface CoverageWatchOptions {
  /** What is uncounted for less is not told. */
  readonly lastingMs: number;
  /** After so long without a look nothing is known of the time between. */
  readonly gapMs: number;
}

/** An uncounted partition, and since when. The clock is the caller's. */
export interface LastingGap extends UncountedPartition {
  readonly sinceMs: number;
}

/** Remembers since when each partition is uncounted. */
export class CoverageWatch {
  readonly #options: CoverageWatchOptions;
  #gaps: readonly LastingGap[] = [];
  #lookedMs = -Infinity;

  constructor(options: CoverageWatchOptions) {
    this.#options = options;
  }

  /** Those that last, after a look that has found these. */
  look(uncounted: readonly UncountedPartition[], nowMs: number): LastingGap[] {
    const isLasting = ({ sinceMs }: LastingGap) => nowMs - sinceMs >= this.#options.lastingMs;
    const wasLasting = ({ sinceMs }: LastingGap) =>
      this.#lookedMs - sinceMs >= this.#options.lastingMs;
    const isBlind = nowMs - this.#lookedMs > this.#options.gapMs;
    const before = new Map(
      this.#gaps.filter((gap) => !isBlind || wasLasting(gap)).map((gap) => [gap.partition, gap]),
    );
    this.#lookedMs = nowMs;
    this.#gaps = uncounted.map((each) => ({
      ...each,
      sinceMs: before.get(each.partition)?.sinceMs ?? nowMs,
    }));
    return this.#gaps.filter(isLasting);
  }
}

/**
 * What periodic checks of the log show: how far a worker is behind, where it has caught up, and
 * which partitions deliver nothing although the log has more.
 * @module
 */

import { lagWithin, type LogRange } from "./log_range.ts";

export interface LagReport {
  /** Records between position and end, per partition. */
  readonly lags: ReadonlyMap<number, number>;
  /** Partitions that have not moved nor given a sign of life for `stallMs` although they lag. */
  readonly stalled: readonly number[];
}

interface Observation {
  readonly position: number;
  /** First check at which it was there and lagged; null if it did not lag. */
  readonly sinceMs: number | null;
}

/** Remembers since when each partition has not moved. */
export class StallDetector {
  readonly #stallMs: number;
  #observations = new Map<number, Observation>();

  constructor({ stallMs }: { readonly stallMs: number }) {
    this.#stallMs = stallMs;
  }

  /**
   * @param positions as they were before `ranges` were asked for, or the log might have grown past its end.
   * @throws {OperatorError} if a position is not within its log.
   */
  check(
    positions: ReadonlyMap<number, number>,
    { ranges, signsOfLife, nowMs }: {
      readonly ranges: ReadonlyMap<number, LogRange>;
      readonly signsOfLife: ReadonlyMap<number, number>;
      readonly nowMs: number;
    },
  ): LagReport {
    const lags = new Map<number, number>();
    const stalled: number[] = [];
    const observations = new Map<number, Observation>();
    for (const [partition, position] of positions) {
      const lag = lagWithin({ partition, position }, ranges.get(partition));
      lags.set(partition, lag);
      const before = this.#observations.get(partition);
      const seenMs = before?.position === position ? before.sinceMs ?? nowMs : nowMs;
      const sinceMs = lag > 0 ? seenMs : null;
      observations.set(partition, { position, sinceMs });
      const aliveMs = Math.max(sinceMs ?? nowMs, signsOfLife.get(partition) ?? -Infinity);
      if (nowMs - aliveMs >= this.#stallMs) stalled.push(partition);
    }
    this.#observations = observations;
    return { lags, stalled };
  }

  /** Forgets everything, for example when something else explains the lack of progress. */
  reset(): void {
    this.#observations.clear();
  }
}

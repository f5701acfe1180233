/**
 * What a look at the log now and then shows: how far a worker is behind, where it
 * has caught up, and whether it stands still although there is something to read.
 * @module
 */

import { lagWithin, type LogRange } from "./log_range.ts";

/** What one look shows. */
export interface LagReport {
  /** Records between position and end, per partition. */
  readonly lags: ReadonlyMap<number, number>;
  /** Partitions that have not moved nor given a sign of life for `stallMs` although they lag. */
  readonly stalled: readonly number[];
}

interface Sighting {
  readonly position: number;
  /** First look at which it stood there and lagged; null if it did not lag. */
  readonly sinceMs: number | null;
}

/** Remembers since when each partition stands where it does. */
export class StallDetector {
  readonly #stallMs: number;
  #sightings = new Map<number, Sighting>();

  constructor({ stallMs }: { readonly stallMs: number }) {
    this.#stallMs = stallMs;
  }

  /**
   * @param positions as they were before `ranges` were asked for, or the log might have grown past its end.
   * @throws {OperatorError} if a position is not within its log.
   */
  look(
    positions: ReadonlyMap<number, number>,
    { ranges, signsOfLife, nowMs }: {
      readonly ranges: ReadonlyMap<number, LogRange>;
      readonly signsOfLife: ReadonlyMap<number, number>;
      readonly nowMs: number;
    },
  ): LagReport {
    const lags = new Map<number, number>();
    const stalled: number[] = [];
    const sightings = new Map<number, Sighting>();
    for (const [partition, position] of positions) {
      const lag = lagWithin({ partition, position }, ranges.get(partition));
      lags.set(partition, lag);
      const before = this.#sightings.get(partition);
      const seenMs = before?.position === position ? before.sinceMs ?? nowMs : nowMs;
      const sinceMs = lag > 0 ? seenMs : null;
      sightings.set(partition, { position, sinceMs });
      const aliveMs = Math.max(sinceMs ?? nowMs, signsOfLife.get(partition) ?? -Infinity);
      if (nowMs - aliveMs >= this.#stallMs) stalled.push(partition);
    }
    this.#sightings = sightings;
    return { lags, stalled };
  }

  /** Forgets what it saw, because there is a reason for standing still. */
  reset(): void {
    this.#sightings.clear();
  }
}

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
  /** Partitions that have not moved for `stallMs` although they lag. */
  readonly stalled: readonly number[];
}

interface Sighting {
  readonly position: number;
  readonly sinceMs: number;
}

/** Remembers since when each partition stands where it does. */
export class LagWatch {
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
    { ranges, nowMs }: {
      readonly ranges: ReadonlyMap<number, LogRange>;
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
      const sinceMs = before?.position === position && lag > 0 ? before.sinceMs : nowMs;
      sightings.set(partition, { position, sinceMs });
      if (nowMs - sinceMs >= this.#stallMs) stalled.push(partition);
    }
    this.#sightings = sightings;
    return { lags, stalled };
  }

  /** Forgets what it saw, because there is a reason for standing still. */
  reset(): void {
    this.#sightings.clear();
  }
}

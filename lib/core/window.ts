/**
 * Tumbling event-time windows: events in, counts per window, lottery and event type out.
 *
 * Windows are half-open, `[start, start + size)`, and aligned to the epoch.
 * Counts are deltas: they can be cut and merged anywhere and stay the same.
 * @module
 */

import type { LotteryEvent } from "./event.ts";

/** Events of one type that one lottery had in one window. */
export interface WindowCount {
  readonly windowStartMs: number;
  readonly lotteryName: string;
  readonly eventType: string;
  readonly count: number;
}

/** Start of the window `[start, start + sizeMs)` that holds `timestampMs`. */
export function windowStart(timestampMs: number, sizeMs: number): number {
  return Math.floor(timestampMs / sizeMs) * sizeMs;
}

/** Counts of events, as nested maps: a name that holds a separator cannot collide with another. */
export class WindowCounts implements Iterable<WindowCount> {
  readonly #sizeMs: number;
  readonly #windows = new Map<number, Map<string, Map<string, number>>>();
  #keys = 0;
  #events = 0;

  constructor(sizeMs: number) {
    this.#sizeMs = sizeMs;
  }

  /** Number of different windows, lotteries and types, which is the number of rows. */
  get keys(): number {
    return this.#keys;
  }

  /** Number of events counted. */
  get events(): number {
    return this.#events;
  }

  add(event: LotteryEvent): void {
    this.#add(windowStart(event.timestampMs, this.#sizeMs), event.lotteryName, event.eventType, 1);
  }

  /** Adds counts made elsewhere with the same window size. */
  merge(counts: Iterable<WindowCount>): void {
    for (const { windowStartMs, lotteryName, eventType, count } of counts) {
      this.#add(windowStartMs, lotteryName, eventType, count);
    }
  }

  *[Symbol.iterator](): Generator<WindowCount> {
    for (const [windowStartMs, lotteries] of this.#windows) {
      for (const [lotteryName, types] of lotteries) {
        for (const [eventType, count] of types) {
          yield { windowStartMs, lotteryName, eventType, count };
        }
      }
    }
  }

  #add(windowStartMs: number, lotteryName: string, eventType: string, count: number): void {
    let lotteries = this.#windows.get(windowStartMs);
    if (!lotteries) this.#windows.set(windowStartMs, lotteries = new Map());
    let types = lotteries.get(lotteryName);
    if (!types) lotteries.set(lotteryName, types = new Map());
    const before = types.get(eventType);
    if (before === undefined) this.#keys++;
    types.set(eventType, (before ?? 0) + count);
    this.#events += count;
  }
}

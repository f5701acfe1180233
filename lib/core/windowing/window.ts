/**
 * Tumbling event-time windows: events in, counts per window, lottery and event type out.
 *
 * Windows are half-open, `[start, start + size)`, and aligned to the epoch.
 * Counts are deltas: they can be split and merged anywhere without changing.
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

/** Lottery, then event type, to the count. */
type Lotteries = Map<string, Map<string, Cell>>;

/** A number that grows where it is: a Map would be searched a second time to set it. */
interface Cell {
  count: number;
}

/** Counts of events, as nested maps: a name that holds a separator cannot collide with another. */
export class WindowCounts implements Iterable<WindowCount> {
  readonly #sizeMs: number;
  readonly #windows = new Map<number, Lotteries>();
  #keys = 0;
  #events = 0;
  /** The window of the last event, which is usually that of the next one. */
  #startMs = NaN;
  #endMs = NaN;
  #lotteries: Lotteries = new Map();

  constructor(sizeMs: number) {
    this.#sizeMs = sizeMs;
  }

  /** Number of different windows, lotteries and types, which is the number of rows. */
  get keys(): number {
    return this.#keys;
  }

  get events(): number {
    return this.#events;
  }

  add({ timestampMs, lotteryName, eventType }: LotteryEvent): void {
    if (!(timestampMs >= this.#startMs && timestampMs < this.#endMs)) {
      this.#open(windowStart(timestampMs, this.#sizeMs));
    }
    this.#cell(lotteryName, eventType).count++;
    this.#events++;
  }

  /** Adds counts made elsewhere with the same window size. */
  merge(counts: Iterable<WindowCount>): void {
    for (const { windowStartMs, lotteryName, eventType, count } of counts) {
      this.#open(windowStartMs);
      this.#cell(lotteryName, eventType).count += count;
      this.#events += count;
    }
  }

  *[Symbol.iterator](): Generator<WindowCount> {
    for (const [windowStartMs, lotteries] of this.#windows) {
      for (const [lotteryName, types] of lotteries) {
        for (const [eventType, { count }] of types) {
          yield { windowStartMs, lotteryName, eventType, count };
        }
      }
    }
  }

  #open(startMs: number): void {
    let lotteries = this.#windows.get(startMs);
    if (!lotteries) this.#windows.set(startMs, lotteries = new Map());
    this.#startMs = startMs;
    this.#endMs = startMs + this.#sizeMs;
    this.#lotteries = lotteries;
  }

  #cell(lotteryName: string, eventType: string): Cell {
    let types = this.#lotteries.get(lotteryName);
    if (!types) this.#lotteries.set(lotteryName, types = new Map());
    let cell = types.get(eventType);
    if (!cell) {
      types.set(eventType, cell = { count: 0 });
      this.#keys++;
    }
    return cell;
  }
}

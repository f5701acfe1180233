/**
 * Compares the stored rows of counts with those that a recount expects.
 * @module
 */

import type { LotteryEvent } from "../windowing/event.ts";

export interface StoredCount {
  readonly windowStartMs: number;
  readonly windowEndMs: number;
  readonly lotteryName: string;
  readonly eventType: string;
  readonly count: number;
}

export interface RowDifference {
  readonly windowStartMs: number;
  readonly lotteryName: string;
  readonly eventType: string;
  /** Null if no such row exists. */
  readonly stored: number | null;
  /** Null if no such row should exist, or if it was not recounted: then only its end is wrong. */
  readonly recounted: number | null;
  /** True if some of the window's records are gone: then it may be more than `recounted`, but not less. */
  readonly isPartial: boolean;
  /** True if the window's end is not its start plus the window's size. */
  readonly hasWrongEnd: boolean;
}

/** Rows or dead letters by what became of them. */
export interface Tallies {
  readonly agreeing: number;
  readonly wrong: number;
  readonly notProvable: number;
}

/** Which windows can be recounted, and how. */
export interface RowAuditOptions {
  readonly windowMs: number;
  /** Windows that start before it are deleted for their age; −∞ if none is. */
  readonly horizonMs: number;
  /** Rows of windows that start before it are not compared; null: all are. */
  readonly sinceMs?: number | null | undefined;
}

/**
 * How much of a window can be recounted: all of it; what the log still holds; or what was read,
 * where it may hold more.
 */
export type Reach = "whole" | "what is left" | "what was read";

/** Start of the first window whose rows are compared; −∞ if all are. */
export function firstWindow(
  { sinceMs, windowMs }: Pick<RowAuditOptions, "sinceMs" | "windowMs">,
): number {
  return Math.ceil((sinceMs ?? -Infinity) / windowMs) * windowMs;
}

type Lotteries = Map<string, Map<string, Tally>>;

interface Tally {
  stored: number | null;
  recounted: number | null;
  hasWrongEnd: boolean;
}

export class RowAudit {
  readonly #options: RowAuditOptions;
  readonly #fromMs: number;
  readonly #windows = new Map<number, Lotteries>();
  /** The window of the last event, which is usually that of the next one. */
  #startMs = NaN;
  #endMs = NaN;
  #lotteries: Lotteries = new Map();

  constructor(options: RowAuditOptions) {
    this.#options = options;
    this.#fromMs = firstWindow(options);
  }

  /** Start of the first window that is compared; −∞ if all are. */
  get fromMs(): number {
    return this.#fromMs;
  }

  addStored({ windowStartMs, windowEndMs, lotteryName, eventType, count }: StoredCount): void {
    this.#open(windowStartMs);
    const tally = this.#tally(lotteryName, eventType);
    tally.stored = count;
    tally.hasWrongEnd = windowEndMs !== windowStartMs + this.#options.windowMs;
  }

  /** Whether the row that an event of this time belongs to is deleted for its age. */
  isDeleted(timestampMs: number): boolean {
    return timestampMs < this.#options.horizonMs;
  }

  /** Adds an event to what should be stored. */
  expect({ timestampMs, lotteryName, eventType }: LotteryEvent): void {
    if (timestampMs < this.#fromMs) return;
    if (!(timestampMs >= this.#startMs && timestampMs < this.#endMs)) {
      this.#open(timestampMs - timestampMs % this.#options.windowMs);
    }
    const tally = this.#tally(lotteryName, eventType);
    tally.recounted = (tally.recounted ?? 0) + 1;
  }

  compare(reachOf: (windowStartMs: number) => Reach): {
    readonly rows: Tallies;
    readonly rowDifferences: readonly RowDifference[];
  } {
    const rows = { agreeing: 0, wrong: 0, notProvable: 0 };
    const rowDifferences: RowDifference[] = [];
    for (const [windowStartMs, lotteries] of this.#windows) {
      // A deleted window is complete: it should have no rows.
      const reach = this.isDeleted(windowStartMs) ? "whole" : reachOf(windowStartMs);
      const isPartial = reach !== "whole";
      for (const [lotteryName, types] of lotteries) {
        for (const [eventType, tally] of types) {
          const result = resultOf(tally, isPartial);
          if (result === "wrong" || reach !== "what was read") rows[result]++;
          if (result !== "wrong") continue;
          rowDifferences.push({
            windowStartMs,
            lotteryName,
            eventType,
            ...tally,
            isPartial,
          });
        }
      }
    }
    return { rows, rowDifferences: rowDifferences.sort(byKey) };
  }

  #open(windowStartMs: number): void {
    let lotteries = this.#windows.get(windowStartMs);
    if (!lotteries) this.#windows.set(windowStartMs, lotteries = new Map());
    this.#startMs = windowStartMs;
    this.#endMs = windowStartMs + this.#options.windowMs;
    this.#lotteries = lotteries;
  }

  #tally(lotteryName: string, eventType: string): Tally {
    let types = this.#lotteries.get(lotteryName);
    if (!types) this.#lotteries.set(lotteryName, types = new Map());
    let tally = types.get(eventType);
    if (!tally) types.set(eventType, tally = { stored: null, recounted: null, hasWrongEnd: false });
    return tally;
  }
}

function resultOf(
  { stored, recounted, hasWrongEnd }: Tally,
  isPartial: boolean,
): keyof Tallies {
  if (hasWrongEnd) return "wrong";
  if (!isPartial) return stored === recounted ? "agreeing" : "wrong";
  return (stored ?? 0) < (recounted ?? 0) ? "wrong" : "notProvable";
}

function byKey(a: RowDifference, b: RowDifference): number {
  return a.windowStartMs - b.windowStartMs || order(a.lotteryName, b.lotteryName) ||
    order(a.eventType, b.eventType);
}

function order(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

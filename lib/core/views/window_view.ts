/**
 * What a view of the counts holds. The greatest lotteries and types have a rank of their own,
 * all others share the last one, so its size is bounded for any number of names.
 * @module
 */

import type { Bars, Range } from "./time_range.ts";

export interface ViewChoice {
  readonly range: Range;
  readonly lotteryName: string | null;
}

/** Numbers of events by place: of the lottery, then of the type. */
export type EventsByPlace = readonly (readonly number[])[];

export interface WindowEvents {
  readonly startMs: number;
  readonly events: EventsByPlace;
}

/** Events of a window that is whole, and of the whole window before it. */
export interface ClosedWindowEvents extends WindowEvents {
  readonly eventsBefore: EventsByPlace;
}

/** The counts of a view; names in the order of their places. */
export interface WindowView extends Bars {
  /** Of the chosen lottery, or of all. */
  readonly eventTypes: readonly string[];
  readonly lotteryNames: readonly string[];
  /** Lotteries that share the last place. */
  readonly otherLotteries: number;
  /** Events of each bar, by the place of the type: of the chosen lottery, or of all. */
  readonly bars: readonly { readonly startMs: number; readonly events: readonly number[] }[];
  readonly totals: EventsByPlace;
  /** The window that event time is in. It is still filling, so it cannot be compared. */
  readonly current: WindowEvents;
  /** The last window that is closed; null if none is. */
  readonly closed: ClosedWindowEvents | null;
}

/** Makes a table of rows of place of the lottery, place of the type, and events. */
export function byPlace(
  rows: readonly (readonly number[])[],
  { lotteries, types }: { readonly lotteries: number; readonly types: number },
): EventsByPlace {
  const table = Array.from({ length: lotteries }, () => Array<number>(types).fill(0));
  for (const [lottery, type, events] of rows) table[lottery!]![type!] = events!;
  return table;
}

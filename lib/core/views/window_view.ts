/**
 * What a view of the counts holds. The greatest lotteries and types have a rank of their own,
 * all others share the last one, so its size is bounded for any number of names.
 * @module
 */

import type { FixedRange, Range } from "./time_range.ts";

export interface ViewChoice {
  readonly range: Range | FixedRange;
  /** Sorted; none for all. */
  readonly lotteryNames: readonly string[];
  /** IANA name of the time zone in which days begin. */
  readonly zone: string;
}

/** Numbers of events by place: of the lottery, then of the type. */
export type EventsByPlace = readonly (readonly number[])[];

export interface WindowEvents {
  readonly startMs: number;
  readonly events: EventsByPlace;
}

/** Events of a window that is whole, and of whole windows before it. */
export interface ClosedWindowEvents extends WindowEvents {
  readonly eventsBefore: EventsByPlace;
  /** Null if that window is not kept, or nothing was counted yet. */
  readonly eventsWeekAgo: EventsByPlace | null;
}

/** Events by the place of the type: of the chosen lotteries, or of all. */
export interface Bar {
  readonly startMs: number;
  readonly endMs: number;
  readonly events: readonly number[];
  /** The same time a week before; null if that is not kept, or nothing was counted yet. */
  readonly weekAgo: readonly number[] | null;
}

/** The counts of a view; names in the order of their places. */
export interface WindowView {
  /** Start of the first bar and end of the last one, which may be in the future. */
  readonly fromMs: number;
  readonly toMs: number;
  /** Of a bar, as if each day had 24 hours. */
  readonly stepMs: number;
  readonly windowMs: number;
  readonly zone: string;
  /** Counts before it are deleted for their age; null if the range has none of them. */
  readonly keptFromMs: number | null;
  /** Whether the range moves with event time. */
  readonly isLive: boolean;
  /** Of the chosen lotteries, or of all. */
  readonly eventTypes: readonly string[];
  readonly lotteryNames: readonly string[];
  /** Lotteries that share the last place. */
  readonly otherLotteries: number;
  /** Without those that are deleted for their age. */
  readonly bars: readonly Bar[];
  readonly totals: EventsByPlace;
  /** Up to the same time of that week as event time is now; null unless it is kept whole. */
  readonly totalsWeekAgo: EventsByPlace | null;
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

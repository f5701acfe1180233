/**
 * The counts of a view, in one statement that reads the windows of its range once.
 * @module
 */

import { barsOf, currentWindow } from "../../../core/views/time_range.ts";
import { byPlace, type ViewChoice, type WindowView } from "../../../core/views/window_view.ts";
import type { Connection, Row } from "../session/connection.ts";
import type { Overview } from "./overview.ts";
import counts from "./window_view.sql" with { type: "text" };

/** How many have their own place. */
const MAX_LOTTERIES = 12;
const MAX_TYPES = 7;

interface ViewRow extends Row {
  readonly event_types: readonly string[];
  readonly lottery_names: readonly string[];
  readonly lotteries: number;
  /** Bar start in seconds, place of the type, events. */
  readonly bars: readonly (readonly number[])[];
  /** Places of lottery and type, events. */
  readonly totals: readonly (readonly number[])[];
  /** Window start in seconds, places of lottery and type, events. */
  readonly windows: readonly (readonly number[])[];
}

/** Null without counts. */
export async function readWindowView(
  connection: Connection,
  { range, lotteryName }: ViewChoice,
  overview: Overview,
): Promise<WindowView | null> {
  const { windowMs, closedUpToMs } = overview;
  const currentMs = currentWindow(overview);
  if (currentMs === null) return null;
  const bars = barsOf(range, { currentMs, windowMs });
  const closedMs = closedUpToMs === null ? null : closedUpToMs - windowMs;
  const shown = [currentMs, ...closedMs === null ? [] : [closedMs, closedMs - windowMs]];
  const [row] = await connection.query<ViewRow>({
    text: counts,
    values: [
      new Date(bars.fromMs),
      new Date(bars.toMs),
      bars.barMs / 1000,
      lotteryName,
      MAX_LOTTERIES,
      MAX_TYPES,
      shown.map((startMs) => new Date(startMs)),
    ],
  });
  const { event_types: eventTypes, lottery_names: lotteryNames } = row!;
  const size = { lotteries: lotteryNames.length + 1, types: eventTypes.length + 1 };
  const eventsOf = (startMs: number) => byPlace(ofStart(row!.windows, startMs), size);
  return {
    ...bars,
    eventTypes,
    lotteryNames,
    otherLotteries: row!.lotteries - lotteryNames.length,
    bars: Array.from({ length: Math.ceil((bars.toMs - bars.fromMs) / bars.barMs) }, (_, at) => {
      const startMs = bars.fromMs + at * bars.barMs;
      const placed = ofStart(row!.bars, startMs).map((each) => [0, ...each]);
      return { startMs, events: byPlace(placed, { ...size, lotteries: 1 })[0]! };
    }),
    totals: byPlace(row!.totals, size),
    current: { startMs: currentMs, events: eventsOf(currentMs) },
    closed: closedMs === null ? null : {
      startMs: closedMs,
      events: eventsOf(closedMs),
      eventsBefore: eventsOf(closedMs - windowMs),
    },
  };
}

/** Of rows that begin with a start in seconds those of one, without it. */
function ofStart(placed: readonly (readonly number[])[], startMs: number): number[][] {
  return placed.flatMap(([start, ...rest]) => start! * 1000 === startMs ? [rest] : []);
}

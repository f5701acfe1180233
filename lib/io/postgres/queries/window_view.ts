/**
 * The counts of a view, in one statement that reads each bar's windows, or hours, once.
 * @module
 */

import { barsOf, currentWindow } from "../../../core/views/time_range.ts";
import { byPlace, type ViewChoice, type WindowView } from "../../../core/views/window_view.ts";
import type { Connection, Row } from "../session/connection.ts";
import { sqlStateOf } from "../session/errors.ts";
import type { Overview } from "./overview.ts";
import counts from "./window_view.sql" with { type: "text" };

/** How many have their own place. */
const MAX_LOTTERIES = 12;
const MAX_TYPES = 7;
const INVALID_VALUE = "22023";
const WEEK_MS = 7 * 24 * 60 * 60_000;

/** Times in seconds. */
interface ViewRow extends Row {
  /** Start, end, and whether the same time a week before is kept. */
  readonly bars: readonly (readonly [number, number, boolean])[];
  /** Start of the bar, start of the bar a week later, or null each, place of the type, events. */
  readonly span_types: readonly (readonly [number | null, number | null, number, number])[];
  readonly event_types: readonly string[];
  readonly lottery_names: readonly string[];
  readonly lotteries: number;
  /** Places of lottery and type, events, and those a week before. */
  readonly totals: readonly (readonly number[])[];
  readonly is_comparable_kept: boolean;
  /** Window start, places of lottery and type, events. */
  readonly windows: readonly (readonly number[])[];
  /** Windows before it are deleted, or nothing was counted yet. */
  readonly windows_from: Date;
  /** Bars before it are deleted. */
  readonly bars_from: Date | null;
}

/** Null without counts. */
export async function readWindowView(
  connection: Connection,
  choice: ViewChoice,
  overview: Overview,
): Promise<WindowView | null> {
  const { windowMs, closedUpToMs } = overview;
  const currentMs = currentWindow(overview);
  if (currentMs === null) return null;
  const { firstMs, lastMs, stepMs } = barsOf(choice.range, { currentMs, windowMs });
  const closedMs = closedUpToMs === null ? null : closedUpToMs - windowMs;
  const shown = [
    currentMs,
    ...closedMs === null ? [] : [closedMs, closedMs - windowMs, closedMs - WEEK_MS],
  ];
  const query = async (zone: string) => {
    const values = [
      new Date(firstMs),
      new Date(lastMs),
      stepMs / 1000,
      zone,
      new Date(currentMs + windowMs),
      choice.lotteryNames,
      MAX_LOTTERIES,
      MAX_TYPES,
      shown.map((startMs) => new Date(startMs)),
    ];
    const [row] = await connection.query<ViewRow>({ text: counts, values });
    return { zone, row };
  };
  const { zone, row } = await query(choice.zone).catch((error) => {
    // A browser may know zones that PostgreSQL does not.
    if (sqlStateOf(error) !== INVALID_VALUE || choice.zone === "UTC") throw error;
    return query("UTC");
  });
  const { event_types: eventTypes, lottery_names: lotteryNames, totals } = row!;
  const size = { lotteries: lotteryNames.length + 1, types: eventTypes.length + 1 };
  const eventsOf = (startMs: number) => byPlace(ofStart(row!.windows, startMs), size);
  const bars = barsByPlace(row!, size.types);
  const isComparable = row!.is_comparable_kept && bars.length > 0 &&
    bars.every(({ weekAgo }) => weekAgo !== null);
  return {
    fromMs: bars.at(0)?.startMs ?? firstMs,
    toMs: bars.at(-1)?.endMs ?? lastMs + 1,
    stepMs,
    windowMs,
    zone,
    keptFromMs: bars.length > 0 && bars[0]!.startMs <= firstMs
      ? null
      : bars.at(0)?.startMs ?? row!.bars_from?.getTime() ?? null,
    isLive: typeof choice.range === "string",
    eventTypes,
    lotteryNames,
    otherLotteries: row!.lotteries - lotteryNames.length,
    bars,
    totals: byPlace(totals, size),
    totalsWeekAgo: isComparable
      ? byPlace(totals.map(([lottery, type, , weekAgo]) => [lottery!, type!, weekAgo!]), size)
      : null,
    current: { startMs: currentMs, events: eventsOf(currentMs) },
    closed: closedMs === null ? null : {
      startMs: closedMs,
      events: eventsOf(closedMs),
      eventsBefore: eventsOf(closedMs - windowMs),
      eventsWeekAgo: WEEK_MS % windowMs === 0 && closedMs - WEEK_MS >= row!.windows_from.getTime()
        ? eventsOf(closedMs - WEEK_MS)
        : null,
    },
  };
}

/** Every bar with its events, also one without events. */
function barsByPlace({ bars, span_types: rows }: ViewRow, types: number): WindowView["bars"] {
  const rowsOfBar = Map.groupBy(rows, ([start]) => start);
  const rowsWeekAgo = Map.groupBy(rows, ([, weekLater]) => weekLater);
  const events = (rows: ViewRow["span_types"] = []) => {
    const numbers = Array<number>(types).fill(0);
    for (const [, , type, count] of rows) numbers[type] = count;
    return numbers;
  };
  return bars.map(([start, end, isWeekAgoKept]) => ({
    startMs: start * 1000,
    endMs: end * 1000,
    events: events(rowsOfBar.get(start)),
    weekAgo: isWeekAgoKept ? events(rowsWeekAgo.get(start)) : null,
  }));
}

/** Of rows that begin with a start in seconds those of one, without it. */
function ofStart(placed: readonly (readonly number[])[], startMs: number): number[][] {
  return placed.flatMap(([start, ...rest]) => start! * 1000 === startMs ? [rest] : []);
}

/**
 * Which times the page shows: as far back as requested from the current event time, or from one
 * time to another, in bars of a length that gives a chart a readable number of them.
 * @module
 */

import { windowStart } from "../windowing/window.ts";
import { STEPS } from "./steps.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** Ranges up to the current event time that can be asked for, with their lengths. */
export const RANGES = {
  "15m": 15 * MINUTE_MS,
  "1h": HOUR_MS,
  "24h": DAY_MS,
  "7d": 7 * DAY_MS,
  "30d": 30 * DAY_MS,
  "1y": 365 * DAY_MS,
} as const;

export type Range = keyof typeof RANGES;

export function isRange(text: string): text is Range {
  return Object.hasOwn(RANGES, text);
}

/** A range that stands still. */
export interface FixedRange {
  readonly fromMs: number;
  readonly toMs: number;
}

/** Times in milliseconds since the epoch. */
export interface EventTimes {
  readonly nowMs: number;
  /** Start of the newest window with events; null without events. */
  readonly newestWindowMs: number | null;
  readonly watermarkMs: number | null;
  readonly windowMs: number;
}

/**
 * Start of the current window: the newest, but events from a clock that is ahead do not move it
 * beyond the present, or the watermark if that is later. Null without events.
 */
export function currentWindow(
  { nowMs, newestWindowMs, watermarkMs, windowMs }: EventTimes,
): number | null {
  if (newestWindowMs === null) return null;
  return Math.min(newestWindowMs, windowStart(Math.max(nowMs, watermarkMs ?? 0), windowMs));
}

/** From the bar that holds `firstMs` to the one that holds `lastMs`. */
export interface Bars {
  readonly firstMs: number;
  readonly lastMs: number;
  /** Of a bar. A day counts as 24 hours, whatever its length in a time zone. */
  readonly stepMs: number;
}

/** The bars of a range. The last one of a range up to now holds the window that starts at `currentMs`. */
export function barsOf(
  range: Range | FixedRange,
  { currentMs, windowMs }: { readonly currentMs: number; readonly windowMs: number },
): Bars {
  if (typeof range !== "string") {
    const { fromMs, toMs } = range;
    return { firstMs: fromMs, lastMs: toMs - 1, stepMs: stepOf(toMs - fromMs, windowMs) };
  }
  const stepMs = stepOf(RANGES[range], windowMs);
  const bars = Math.ceil(RANGES[range] / stepMs);
  return { firstMs: currentMs - (bars - 1) * stepMs, lastMs: currentMs, stepMs };
}

const MAX_BARS = 200;
/** A year by the day. */
const MAX_DAYS = 400;

/** How many windows are joined where their length fits into no hour. */
const JOINED_WINDOWS = [1, 2, 5, 10, 20, 50];
/** In a bar of this many windows, one more or less does not show. */
const MANY_WINDOWS = 60;

/** The shortest step that gives a range at most 200 bars, or 400 days; else the longest. */
function stepOf(rangeMs: number, windowMs: number): number {
  const steps = stepsOf(windowMs);
  return steps.find((stepMs) => rangeMs / stepMs <= (stepMs === DAY_MS ? MAX_DAYS : MAX_BARS)) ??
    steps.at(-1)!;
}

/** Lengths of bars; none is shorter than a window. */
function stepsOf(windowMs: number): number[] {
  const joined = HOUR_MS % windowMs === 0 ? [1] : JOINED_WINDOWS;
  return [
    ...joined.map((windows) => windows * windowMs).filter((stepMs) => stepMs < DAY_MS),
    ...[...STEPS.values()].filter((stepMs) =>
      stepMs >= DAY_MS || (stepMs > windowMs && stepMs % windowMs === 0) ||
      stepMs >= MANY_WINDOWS * windowMs
    ),
  ].toSorted((a, b) => a - b);
}

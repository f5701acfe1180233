/**
 * Which windows the page shows: as far back as requested, from the current event time,
 * and joined so that a chart has a readable number of bars.
 * @module
 */

import { windowStart } from "../windowing/window.ts";

/** Ranges that can be asked for, with their lengths. */
export const RANGES = {
  "15m": 15 * 60_000,
  "1h": 60 * 60_000,
  "24h": 24 * 60 * 60_000,
} as const;

export type Range = keyof typeof RANGES;

export function isRange(text: string): text is Range {
  return Object.hasOwn(RANGES, text);
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

/** Bars `[fromMs, fromMs + barMs)` and so on; the last one ends at `toMs` or, not yet full, behind it. */
export interface Bars {
  readonly fromMs: number;
  readonly toMs: number;
  /** A multiple of the window's length. */
  readonly barMs: number;
}

const MAX_BARS = 150;
/** How many windows may be joined: with windows of a minute, the bars are of 1, 2, 5, … minutes. */
const STEPS = [1, 2, 5, 10, 15, 20, 30, 60];

/** The bars of a range that ends with the window that starts at `currentMs`. */
export function barsOf(
  range: Range,
  { currentMs, windowMs }: { readonly currentMs: number; readonly windowMs: number },
): Bars {
  const windows = Math.max(1, Math.ceil(RANGES[range] / windowMs));
  const step = STEPS.find((each) => windows / each <= MAX_BARS) ??
    60 * Math.ceil(windows / 60 / MAX_BARS);
  const barMs = step * windowMs;
  const lastBarMs = windowStart(currentMs, barMs);
  return {
    fromMs: lastBarMs - (Math.ceil(windows / step) - 1) * barMs,
    toMs: currentMs + windowMs,
    barMs,
  };
}

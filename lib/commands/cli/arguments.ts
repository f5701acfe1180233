/**
 * How arguments of commands are read.
 * @module
 */

import { InvalidArgumentError } from "commander";
import { parseIsoTime } from "../../core/text/time.ts";

/** A reader of digits. What it reads is exact: beyond the default for `max`, numbers are not. */
export function wholeNumber(
  min: number,
  max: number = Number.MAX_SAFE_INTEGER,
): (text: string) => number {
  return (text) => {
    const value = /^\d+$/.test(text) ? Number(text) : NaN;
    if (value >= min && value <= max) return value;
    throw new InvalidArgumentError(`It must be a whole number from ${min} to ${max}.`);
  };
}

/** A reader of numbers from `min` to `max`, with or without a fraction. */
export function numberBetween(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (value >= min && value <= max) return value;
    throw new InvalidArgumentError(`It must be a number from ${min} to ${max}.`);
  };
}

/** Of a greater one only the last 32 bits would count. */
export const seed = wholeNumber(0, 2 ** 32 - 1);

/** Events per second. @throws {InvalidArgumentError} unless it is positive, or `max`. */
export function rate(text: string): number {
  if (text === "max") return Infinity;
  const value = Number(text);
  if (value > 0 && value < Infinity) return value;
  throw new InvalidArgumentError("It must be a number above 0, or max.");
}

/** A reader of days, as `15d`, up to `max` of them. */
export function days(max: number): (text: string) => number {
  return (text) => {
    const value = /^\d+d$/.test(text) ? parseInt(text) : NaN;
    if (value >= 1 && value <= max) return value;
    throw new InvalidArgumentError(`It must be a number of days from 1d to ${max}d.`);
  };
}

/** Milliseconds since the epoch. @throws {InvalidArgumentError} unless it is a time with its zone. */
export function time(text: string): number {
  const timeMs = parseIsoTime(text);
  if (timeMs !== null) return timeMs;
  throw new InvalidArgumentError("It must be a time like 2026-01-31T12:00:00Z, with its zone.");
}

const UNITS_MS = new Map([["s", 1_000], ["m", 60_000], ["h", 3_600_000], ["d", 86_400_000]]);

/** Milliseconds of a length of time like 15m, or null. */
function spanMs(text: string): number | null {
  const [, digits, unit] = text.match(/^([1-9]\d{0,5})([smhd])$/) ?? [];
  return digits === undefined ? null : Number(digits) * UNITS_MS.get(unit!)!;
}

/** Milliseconds. @throws {InvalidArgumentError} unless it is a length of time like 15m, 6h or 7d. */
export function timeSpan(text: string): number {
  const span = spanMs(text);
  if (span !== null) return span;
  throw new InvalidArgumentError("It must be a length of time like 30s, 15m, 6h or 7d.");
}

/** A time, or how long ago it was; milliseconds since the epoch once it is known what time it is. */
export function since(text: string): (nowMs: number) => number {
  const span = spanMs(text);
  if (span !== null) return (nowMs) => nowMs - span;
  const timeMs = parseIsoTime(text);
  if (timeMs !== null) return () => timeMs;
  throw new InvalidArgumentError(
    "It must be a length of time like 15m, 6h or 7d, or a time like 2026-01-31T12:00:00Z, with its zone.",
  );
}

/** A reader of lengths of time, in milliseconds. */
export function timeSpanBetween(min: string, max: string): (text: string) => number {
  const [minMs, maxMs] = [timeSpan(min), timeSpan(max)];
  return (text) => {
    const span = timeSpan(text);
    if (span >= minMs && span <= maxMs) return span;
    throw new InvalidArgumentError(`It must be a length of time from ${min} to ${max}.`);
  };
}

/** A reader whose errors are those of `parse`, shown as ones of the argument. */
export function parsedBy<T>(
  parse: (text: string, before?: T) => T,
): (text: string, before?: T) => T {
  return (text, before) => {
    try {
      return parse(text, before);
    } catch (error) {
      throw new InvalidArgumentError((error as Error).message);
    }
  };
}

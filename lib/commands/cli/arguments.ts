/**
 * How arguments of commands are read.
 * @module
 */

import { InvalidArgumentError } from "commander";

/** A reader of digits. What it reads is exact: beyond the default for `greatest`, numbers are not. */
export function wholeNumber(
  least: number,
  greatest: number = Number.MAX_SAFE_INTEGER,
): (text: string) => number {
  return (text) => {
    const value = /^\d+$/.test(text) ? Number(text) : NaN;
    if (value >= least && value <= greatest) return value;
    throw new InvalidArgumentError(`It must be a whole number from ${least} to ${greatest}.`);
  };
}

/** Events per second. @throws {InvalidArgumentError} unless it is positive, or `max`. */
export function rate(text: string): number {
  if (text === "max") return Infinity;
  const value = Number(text);
  if (value > 0 && value < Infinity) return value;
  throw new InvalidArgumentError("It must be a number above 0, or max.");
}

/** @throws {InvalidArgumentError} unless it is from 0 to 1. */
export function share(text: string): number {
  const value = Number(text);
  if (!(value >= 0 && value <= 1)) {
    throw new InvalidArgumentError("It must be a number from 0 to 1.");
  }
  return value;
}

/** A faster one would be more than the generator can keep up with. */
const GREATEST_SPEED = 600;

/** How many times as fast as usual. @throws {InvalidArgumentError} unless it is from 1 to 600. */
export function speed(text: string): number {
  const value = Number(text);
  if (!(value >= 1 && value <= GREATEST_SPEED)) {
    throw new InvalidArgumentError(`It must be a number from 1 to ${GREATEST_SPEED}.`);
  }
  return value;
}

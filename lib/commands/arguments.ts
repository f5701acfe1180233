/**
 * How arguments of commands are read.
 * @module
 */

import { InvalidArgumentError } from "commander";

/** @throws {InvalidArgumentError} for anything but digits. */
export function wholeNumber(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError("It must be a whole number.");
  return Number(text);
}

/** @throws {InvalidArgumentError} for less. */
export function atLeastOne(text: string): number {
  if (wholeNumber(text) < 1) throw new InvalidArgumentError("It must be at least 1.");
  return Number(text);
}

/** Events per second. @throws {InvalidArgumentError} unless it is positive, or `max`. */
export function rate(text: string): number {
  if (text === "max") return Infinity;
  const value = Number(text);
  if (!(value > 0)) throw new InvalidArgumentError("It must be a number above 0, or max.");
  return value;
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

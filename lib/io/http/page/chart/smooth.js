/**
 * Evens out the rhythm of commits in a curve.
 * @module
 */

import { sum } from "./busiest.js";

/** The events of a commit all fall into one second, while the next second may have none. */
const SECONDS = 5;

/**
 * Moving average.
 * @param {readonly number[]} counts by second
 * @returns {number[]}
 */
export function smooth(counts) {
  return counts.slice(SECONDS - 1).map((_, at) => sum(counts.slice(at, at + SECONDS)) / SECONDS);
}

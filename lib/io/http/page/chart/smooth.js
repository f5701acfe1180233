/**
 * Curves without the beat of commits.
 * @module
 */

/** What comes with one commit falls now into one second, now into the next. */
const SECONDS = 5;

/**
 * Means over five seconds each.
 * @param {readonly number[]} counts of one second each
 * @returns {number[]}
 */
export function smooth(counts) {
  return counts.slice(SECONDS - 1).map((_, at) =>
    counts.slice(at, at + SECONDS).reduce((sum, each) => sum + each, 0) / SECONDS
  );
}

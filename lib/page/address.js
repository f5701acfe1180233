/**
 * The chosen view, as it stands in the address of the page: so it can be shared, and gone back from.
 * @module
 */

/** @typedef {import("../core/window_view.ts").ViewChoice} ViewChoice */

const RANGES = /** @type {const} */ (["15m", "1h", "24h"]);

/**
 * @param {string} search what stands behind the path, from the question mark on
 * @returns {ViewChoice}
 */
export function parseChoice(search) {
  const parameters = new URLSearchParams(search);
  const range = RANGES.find((each) => each === parameters.get("range"));
  return { range: range ?? "15m", lotteryName: parameters.get("lottery") || null };
}

/**
 * The same, without what is the default.
 * @param {ViewChoice} choice
 */
export function formatChoice({ range, lotteryName }) {
  const parameters = new URLSearchParams();
  if (lotteryName !== null) parameters.set("lottery", lotteryName);
  if (range !== "15m") parameters.set("range", range);
  const text = parameters.toString();
  return text && `?${text}`;
}

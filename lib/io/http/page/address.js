/**
 * The chosen view, as it stands in the address of the page: so it can be shared, and gone back from.
 * @module
 */

import { visible } from "./format.js";

/** @typedef {import("../../../core/views/window_view.ts").ViewChoice} ViewChoice */

/** Ranges, and how long each is, as it stands behind "the last". */
export const RANGES = /** @type {const} */ ({
  "15m": "15 minutes",
  "1h": "hour",
  "24h": "24 hours",
});

const NAMES = ["range", "lottery"];
/** Longer than any lottery's name can be. */
const MAX_NAME_LENGTH = 400;

/**
 * The choice, and what is wrong with the address: that part of it is not chosen.
 * @param {string} search what stands behind the path, from the question mark on
 * @returns {{ choice: ViewChoice, problems: string[] }}
 */
export function parseChoice(search) {
  const parameters = new URLSearchParams(search);
  const problems = [...new Set(parameters.keys())].flatMap((name) => {
    if (!NAMES.includes(name)) return [`${quoted(name)} is nothing that can be chosen.`];
    return parameters.getAll(name).length > 1 ? [`${quoted(name)} can be chosen only once.`] : [];
  });
  const text = parameters.get("range") ?? "15m";
  const isRange = Object.hasOwn(RANGES, text);
  if (!isRange) {
    const ranges = Object.keys(RANGES).join(", ");
    problems.push(
      `There is no range ${quoted(text)}: this is the last ${
        RANGES["15m"]
      }. Choose one of ${ranges}.`,
    );
  }
  let lotteryName = parameters.get("lottery") || null;
  if (lotteryName && (lotteryName.length > MAX_NAME_LENGTH || lotteryName.includes("\0"))) {
    problems.push(`No lottery can be called ${quoted(lotteryName)}: this is all of them.`);
    lotteryName = null;
  }
  const range = isRange ? /** @type {keyof typeof RANGES} */ (text) : "15m";
  return { choice: { range, lotteryName }, problems };
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

const MAX_QUOTED = 60;

/**
 * What a stranger has written, as far as there is room for it.
 * @param {string} text
 */
export function quoted(text) {
  return `“${visible(text.length > MAX_QUOTED ? `${text.slice(0, MAX_QUOTED)}…` : text)}”`;
}

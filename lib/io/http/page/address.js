/**
 * The chosen view, as part of the page's address: it can be shared, and the browser can go back.
 * @module
 */

import { visible } from "./format.js";

/**
 * @typedef {object} ViewChoice
 * @property {keyof typeof RANGES} range
 * @property {string | null} lotteryName
 */

/** Ranges, and what each is called after "the last". */
export const RANGES = /** @type {const} */ ({
  "15m": "15 minutes",
  "1h": "hour",
  "24h": "24 hours",
});

const PARAMETERS = ["range", "lottery"];
/** Longer than any lottery's name can be. */
const MAX_NAME_LENGTH = 400;
const MAX_QUOTED = 60;

/**
 * The choice, and what is wrong with the address; wrong parts have no effect.
 * @param {string} search the address from the question mark on
 * @returns {{ choice: ViewChoice, problems: string[] }}
 */
export function parseChoice(search) {
  const parameters = new URLSearchParams(search);
  const problems = [...new Set(parameters.keys())].flatMap((name) => {
    if (!PARAMETERS.includes(name)) return [`Unknown parameter ${quoted(name)} in the address.`];
    return parameters.getAll(name).length > 1
      ? [`${quoted(name)} appears more than once in the address.`]
      : [];
  });
  const text = parameters.get("range") ?? "15m";
  const isRange = Object.hasOwn(RANGES, text);
  if (!isRange) {
    const supported = Object.keys(RANGES).join(", ");
    problems.push(
      `Unknown range ${quoted(text)}, showing the last ${RANGES["15m"]}. Supported: ${supported}.`,
    );
  }
  let lotteryName = parameters.get("lottery") || null;
  if (lotteryName && (lotteryName.length > MAX_NAME_LENGTH || lotteryName.includes("\0"))) {
    problems.push(`Invalid lottery name ${quoted(lotteryName)}, showing all lotteries.`);
    lotteryName = null;
  }
  const range = isRange ? /** @type {keyof typeof RANGES} */ (text) : "15m";
  return { choice: { range, lotteryName }, problems };
}

/**
 * The same without defaults, from the question mark on.
 * @param {ViewChoice} choice
 */
export function formatChoice({ range, lotteryName }) {
  const parameters = new URLSearchParams();
  if (lotteryName !== null) parameters.set("lottery", lotteryName);
  if (range !== "15m") parameters.set("range", range);
  const text = parameters.toString();
  return text && `?${text}`;
}

/**
 * Untrusted text, cut short.
 * @param {string} text
 */
export function quoted(text) {
  return `“${visible(text.length > MAX_QUOTED ? `${text.slice(0, MAX_QUOTED)}…` : text)}”`;
}

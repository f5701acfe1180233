/**
 * The mark of a change: up or down, and by how much.
 * @module
 */

import { make } from "./dom.js";
import { percentChange } from "./format.js";

const ARROWS = /** @type {const} */ ({ up: "▲ ", down: "▼ ", "": "" });

/**
 * In percent; null if nothing is known to compare with.
 * @param {number} now
 * @param {number | null | undefined} before
 */
export function percentMark(now, before) {
  const change = percentChange(now, before);
  if (!change) return null;
  const { direction, text } = change;
  const arrow = make("span", "", ARROWS[direction]);
  if (direction !== "") {
    arrow.role = "img";
    arrow.ariaLabel = direction;
  }
  return make("small", direction, arrow, text);
}

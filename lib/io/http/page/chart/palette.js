/**
 * The colours of event types.
 * @module
 */

import { make } from "../dom.js";

const COLORS = [0, 1, 2, 3, 4, 5, 6];

/** Index of the colour that all other types share. */
export const OTHERS = COLORS.length;

/** Each type keeps its colour, whatever is chosen. */
export class Palette {
  /** @type {Map<string, number>} */
  #kept = new Map();

  /**
   * Indexes of distinct colours.
   * @param {readonly string[]} eventTypes shown together; at most as many as there are colours
   * @returns {number[]}
   */
  colorsOf(eventTypes) {
    const reserved = new Set(eventTypes.map((type) => this.#kept.get(type)));
    /** @type {Set<number>} */
    const taken = new Set();
    return eventTypes.map((type) => {
      const kept = this.#kept.get(type);
      const isFree = kept !== undefined && !taken.has(kept);
      const color = isFree
        ? kept
        : COLORS.find((each) => !taken.has(each) && !reserved.has(each)) ??
          COLORS.find((each) => !taken.has(each)) ?? 0;
      taken.add(color);
      if (kept === undefined) this.#kept.set(type, color);
      return color;
    });
  }
}

/** @param {number | undefined} color its index; that of all others if there is none */
export function colorOf(color = OTHERS) {
  return `var(--type-${color})`;
}

/** A mark in a legend. @param {number | undefined} color */
export function swatch(color) {
  const mark = make("i", "swatch");
  mark.style.background = colorOf(color);
  return mark;
}

/**
 * The colours of event types.
 * @module
 */

const COLORS = [0, 1, 2, 3, 4, 5, 6];

/** Index of the colour that all types without a place of their own share. */
export const OTHERS = COLORS.length;

/** Gives each type a colour, which it keeps whatever is chosen. */
export class Palette {
  /** @type {Map<string, number>} */
  #kept = new Map();

  /**
   * Indexes of different colours for the types that are shown together.
   * @param {readonly string[]} eventTypes at most as many as there are colours
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

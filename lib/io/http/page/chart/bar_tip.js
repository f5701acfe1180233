/**
 * What is said of the bar that the pointer or the keyboard is at.
 * @module
 */

import { make } from "../dom.js";
import { clock, visible, whole } from "../format.js";

/** @typedef {import("./chart.js").Shown} Shown */

const GAP_PX = 8;

export class BarTip {
  #tip = make("div", "tip");
  #band = make("div", "band");

  /** The same in words. */
  get text() {
    return this.#tip.textContent ?? "";
  }

  /**
   * Becomes part of a plot, hidden.
   * @param {any} plot
   */
  attach(plot) {
    plot.over.append(this.#band, this.#tip);
    this.hide();
  }

  hide() {
    this.#tip.hidden = this.#band.hidden = true;
  }

  /**
   * @param {any} plot
   * @param {Shown} shown
   * @param {number} at index of the bar
   */
  show(plot, { view, colors, rates }, at) {
    const startMs = view.bars[at]?.startMs ?? 0;
    const endMs = startMs + view.barMs;
    const rows = [...view.eventTypes, "others"].flatMap((type, place) => {
      const rate = rates[place]?.[at] ?? 0;
      if (rate === 0) return [];
      return [row(make("i", `swatch type-${colors[place]}`), `${visible(type)} `, rate)];
    });
    const total = row("", "per minute ", rates.reduce((sum, layer) => sum + (layer[at] ?? 0), 0));
    total.className = "total";
    this.#tip.replaceChildren(
      make("p", "", `${clock(startMs, view.barMs)} – ${clock(endMs, view.barMs)} `),
      make("ul", "", ...rows.reverse(), total), // as they stand on one another
    );
    this.#place(plot, plot.valToPos(startMs / 1000, "x"), plot.valToPos(endMs / 1000, "x"));
    this.#tip.hidden = this.#band.hidden = false;
  }

  /**
   * Beside the bar, on the side with more room.
   * @param {any} plot
   * @param {number} left
   * @param {number} right
   */
  #place({ over: { clientWidth } }, left, right) {
    const isLeftHalf = left < clientWidth / 2;
    this.#band.style.left = `${left}px`;
    this.#band.style.width = `${right - left}px`;
    this.#tip.style.left = isLeftHalf ? `${right + GAP_PX}px` : "";
    this.#tip.style.right = isLeftHalf ? "" : `${clientWidth - left + GAP_PX}px`;
  }
}

/**
 * @param {string | Node} mark
 * @param {string} name
 * @param {number} rate
 */
function row(mark, name, rate) {
  return make("li", "", mark, name, make("b", "", whole(rate)));
}

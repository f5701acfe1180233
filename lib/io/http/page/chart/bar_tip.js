/**
 * The tooltip of the bar that the pointer or the keyboard has selected.
 * @module
 */

import { make } from "../dom.js";
import { clock, visible, whole } from "../format.js";

import { sum } from "./busiest.js";
import { swatch } from "./palette.js";

/** @typedef {import("uplot/dist/uPlot.d.ts")} Plot */
/** @typedef {import("./chart.js").Shown} Shown */

const GAP_PX = 8;

export class BarTip {
  #tip = make("div", "float tip");
  #band = make("div", "band");

  /** For screen readers. */
  get text() {
    return this.#tip.textContent ?? "";
  }

  /** @param {Plot} plot */
  attach(plot) {
    plot.over.append(this.#band, this.#tip);
    this.hide();
  }

  hide() {
    this.#tip.hidden = this.#band.hidden = true;
  }

  /**
   * @param {Plot} plot
   * @param {Shown} shown
   * @param {number} at index of the bar
   */
  show(plot, { view, colors, rates }, at) {
    const barMs = view.step_seconds * 1_000;
    const startMs = Date.parse(view.from) + at * barMs;
    const endMs = startMs + barMs;
    const rows = [...view.event_types, "others"].flatMap((type, place) => {
      const rate = rates[place]?.[at] ?? 0;
      if (rate === 0) return [];
      return [row(swatch(colors[place]), `${visible(type)} `, rate)];
    });
    const total = row("", "per minute ", sum(rates.map((layer) => layer[at] ?? 0)));
    total.className = "total";
    this.#tip.replaceChildren(
      make("p", "", `${clock(startMs, barMs)} – ${clock(endMs, barMs)} `),
      make("ul", "", ...rows.reverse(), total), // in the order of the stack
    );
    this.#place(plot, plot.valToPos(startMs / 1000, "x"), plot.valToPos(endMs / 1000, "x"));
    this.#tip.hidden = this.#band.hidden = false;
  }

  /**
   * Beside the bar, on the side with more room.
   * @param {Plot} plot
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

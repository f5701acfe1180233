/**
 * The tooltip of the bar that the pointer or the keyboard has selected.
 * @module
 */

import { percentMark } from "../change_mark.js";
import { make } from "../dom.js";
import { visible, whole } from "../format.js";
import { spanText } from "../times.js";
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
  show(plot, { view, colors, layers, weekAgo, spans, closedUpToMs }, at) {
    const { start, end } = spans[at] ?? { start: 0, end: 0 };
    const rows = [...view.event_types, "others"].flatMap((type, place) => {
      const events = layers[place]?.[at] ?? 0;
      return events === 0 ? [] : [row(swatch(colors[place]), `${visible(type)} `, whole(events))];
    });
    const events = sum(layers.map((layer) => layer[at] ?? 0));
    const before = weekAgo[at] ?? null;
    const isClosed = closedUpToMs !== null && end * 1000 <= closedUpToMs;
    const total = row("", "all ", whole(events));
    total.className = "total";
    this.#tip.replaceChildren(
      make("p", "", `${spanText(start * 1000, end * 1000, { hasWeekday: true })} `),
      make("ul", "", ...rows.reverse(), total), // in the order of the stack
      ...before === null ? [] : [weekRow(before, isClosed ? percentMark(events, before) : null)],
    );
    this.#place(plot, plot.valToPos(start, "x"), plot.valToPos(end, "x"));
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
 * @param {string} value
 */
function row(mark, name, value) {
  return make("li", "", mark, name, make("b", "", value));
}

/** @param {number} before @param {Node | null} change */
function weekRow(before, change) {
  const text = make("span", "muted", " week before ", make("b", "", whole(before)));
  return make("p", "week", make("i", "week-mark"), text, ...change ? [" ", change] : []);
}

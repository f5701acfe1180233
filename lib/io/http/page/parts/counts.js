/**
 * The counts of the chosen view: chart, busiest lotteries, and a table for each of two windows.
 * @module
 */

import { Busiest } from "../chart/busiest.js";
import { Chart } from "../chart/chart.js";
import { showLegend } from "../chart/legend.js";
import { Palette } from "../chart/palette.js";
import { find, setText } from "../dom.js";
import { age, clock, otherDay, visible } from "../format.js";
import { showWindow } from "./windows.js";

/** @typedef {import("../../../../core/views/window_view.ts").WindowView} WindowView */

const NOTES = /** @type {const} */ ({
  current: "so far",
  closed: "and the change against the window before",
});

export class Counts {
  #palette = new Palette();
  #chart = new Chart();
  #busiest;

  /** @param {(lotteryName: string | null) => void} choose called when a lottery is clicked on */
  constructor(choose) {
    this.#busiest = new Busiest(choose);
  }

  /**
   * @param {WindowView | null} view null as long as there are no counts
   * @param {string | null} chosen the lottery
   */
  show(view, chosen) {
    for (const part of [".charts", ".windows"]) find(part).hidden = !view;
    if (!view) {
      this.#chart.clear();
      return;
    }
    const colors = this.#palette.colorsOf(view.eventTypes);
    const sizeMs = view.toMs - view.current.startMs;
    const closedUpToMs = view.closed && view.closed.startMs + sizeMs;
    this.#chart.show(view, { colors, closedUpToMs });
    showLegend(view, colors);
    setText(find("#chart-note"), chartNote(view, chosen, sizeMs));
    this.#busiest.show(view, { colors, chosen });
    for (const name of /** @type {const} */ (["current", "closed"])) {
      const events = view[name];
      const card = find(`#window-${name}`);
      setText(
        find(".head p", card),
        events ? `${span(events.startMs, sizeMs)}, ${NOTES[name]}` : "",
      );
      showWindow(find(".scroll", card), { view, events, colors, chosen });
    }
  }
}

/**
 * @param {WindowView} view
 * @param {string | null} chosen
 * @param {number} sizeMs length of a window
 */
function chartNote({ barMs, current }, chosen, sizeMs) {
  const day = otherDay(current.startMs, Date.now());
  return [
    ...chosen === null ? [] : [`of ${visible(chosen)}`],
    ...barMs === sizeMs ? [] : [`in bars of ${age(barMs)}`],
    ...day === "" ? [] : [`up to ${day}`],
  ].join(", ");
}

/**
 * When a window begins and ends, with the day if it is not today.
 * @param {number} startMs
 * @param {number} sizeMs
 */
function span(startMs, sizeMs) {
  const day = otherDay(startMs, Date.now());
  const times = `${clock(startMs, sizeMs)} – ${clock(startMs + sizeMs, sizeMs)}`;
  return day === "" ? times : `${day}, ${times}`;
}

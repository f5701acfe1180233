/**
 * The counts of the chosen view: chart, busiest lotteries, and tables of two windows.
 * @module
 */

import { Busiest } from "../chart/busiest.js";
import { Chart } from "../chart/chart.js";
import { showLegend } from "../chart/legend.js";
import { Palette } from "../chart/palette.js";
import { find, setText } from "../dom.js";
import { age, clock, otherDay, visible } from "../format.js";
import { showWindow } from "./windows.js";

/** @typedef {import("../../api.ts").ViewJson} View */

const NOTES = /** @type {const} */ ({
  current: "so far",
  closed: "with change from the window before",
});

export class Counts {
  #palette = new Palette();
  #chart = new Chart();
  #busiest;

  /** @param {(lotteryName: string | null) => void} choose called when a lottery is clicked */
  constructor(choose) {
    this.#busiest = new Busiest(choose);
  }

  /**
   * @param {View | null} view null before the first commit
   * @param {string | null} chosen lottery
   */
  show(view, chosen) {
    for (const part of [".charts", ".windows"]) find(part).hidden = !view;
    if (!view) {
      this.#chart.clear();
      return;
    }
    const colors = this.#palette.colorsOf(view.event_types);
    const sizeMs = Date.parse(view.to) - Date.parse(view.current.window_start);
    const closedUpToMs = view.closed && Date.parse(view.closed.window_start) + sizeMs;
    this.#chart.show(view, { colors, closedUpToMs });
    showLegend(view, colors);
    setText(find("#chart-note"), chartNote(view, chosen, sizeMs));
    this.#busiest.show(view, { colors, chosen });
    for (const name of /** @type {const} */ (["current", "closed"])) {
      const events = view[name];
      const card = find(`#window-${name}`);
      setText(
        find(".head p", card),
        events ? `${span(Date.parse(events.window_start), sizeMs)}, ${NOTES[name]}` : "",
      );
      showWindow(find(".scroll", card), { view, events, colors, chosen });
    }
  }
}

/**
 * @param {View} view
 * @param {string | null} chosen
 * @param {number} sizeMs length of a window
 */
function chartNote({ step_seconds, current }, chosen, sizeMs) {
  const barMs = step_seconds * 1_000;
  const day = otherDay(Date.parse(current.window_start));
  return [
    ...chosen === null ? [] : [visible(chosen)],
    ...barMs === sizeMs ? [] : [`${age(barMs)} per bar`],
    ...day === "" ? [] : [`up to ${day}`],
  ].join(", ");
}

/**
 * Start and end of a window, with the day if it is not today.
 * @param {number} startMs
 * @param {number} sizeMs
 */
function span(startMs, sizeMs) {
  const day = otherDay(startMs);
  const times = `${clock(startMs, sizeMs)} – ${clock(startMs + sizeMs, sizeMs)}`;
  return day === "" ? times : `${day}, ${times}`;
}

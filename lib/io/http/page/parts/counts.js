/**
 * The counts of the chosen view: chart with its total, busiest lotteries, tables of two windows and
 * of the opened bar.
 * @module
 */

import { Busiest } from "../chart/busiest.js";
import { Chart } from "../chart/chart.js";
import { Legend } from "../chart/legend.js";
import { Palette } from "../chart/palette.js";
import { closer, wholeBars, wider } from "../chart/zoom.js";
import { find } from "../dom.js";
import { shownTypes } from "../shown_types.js";
import { BarTable } from "./bar_table.js";
import { showChartHead } from "./chart_head.js";
import { showWindows } from "./windows.js";

/** @typedef {import("../../api.ts").ViewJson} View */
/** @typedef {import("../choice/choices.js").Choices} Choices */

export class Counts {
  #palette = new Palette();
  /** @type {Choices} */
  #choices;
  #chart;
  #legend;
  #busiest;
  #bar;
  /** @type {View | null} */
  #view = null;

  /** @param {Choices} choices */
  constructor(choices) {
    this.#choices = choices;
    this.#chart = new Chart({
      onOpen: (barMs) => this.#open(barMs),
      onDrag: (fromMs, toMs) => this.#zoomIn(() => ({ fromMs, toMs })),
      onCloser: (at) => this.#zoomIn((view, windowMs) => closer(view, at, windowMs)),
      onWider: () => this.#zoomOut(),
    });
    this.#legend = new Legend((type) => choices.toggleType(type));
    this.#busiest = new Busiest((lottery) => choices.toggleLottery(lottery));
    this.#bar = new BarTable({
      palette: this.#palette,
      onClose: () => {
        choices.choose({ barMs: null });
        this.#chart.focus();
      },
      onZoom: (span) => this.#zoomIn(() => span),
    });
    find("#zoom-out").addEventListener("click", () => this.#zoomOut());
  }

  /**
   * What is chosen has changed; the view of it may come later.
   * @param {boolean} isOther whether it needs another view
   */
  choose(isOther) {
    this.#bar.choose(this.#choices.current);
    if (isOther) {
      this.#view = null;
      this.#chart.unselect();
    } else if (this.#view) this.show(this.#view);
  }

  /** @param {View | null} view null before the first commit */
  show(view) {
    this.#view = view;
    for (const part of [".charts", ".windows"]) find(part).hidden = !view;
    if (!view) {
      this.#chart.clear();
      this.#bar.hide();
      return;
    }
    const { current: choice, widerRange } = this.#choices;
    const colors = this.#palette.colorsOf(view.event_types);
    const isOn = shownTypes(view.event_types, choice);
    const closedUpToMs = closedUpTo(view);
    const look = { colors, isOn, chosen: choice.lotteries };
    this.#chart.show(view, { colors, isOn, closedUpToMs, openedMs: choice.barMs });
    this.#legend.show(view, { colors, isOn });
    showChartHead(view, { choice, isOn, closedUpToMs, widerRange });
    this.#busiest.show(view, look);
    showWindows(view, { ...look, windowMs: view.window_seconds * 1_000 });
    this.#bar.show(view, closedUpToMs);
  }

  /** @param {number} barMs */
  #open(barMs) {
    const isOpen = this.#choices.current.barMs === barMs;
    this.#choices.choose({ barMs: isOpen ? null : barMs });
    if (!isOpen) this.#bar.reveal();
  }

  /** @param {(view: View, windowMs: number) => import("../address.js").Span} spanOf */
  #zoomIn(spanOf) {
    if (!this.#view) return;
    const windowMs = this.#view.window_seconds * 1_000;
    this.#choices.zoomIn(wholeBars(this.#view, spanOf(this.#view, windowMs), windowMs));
  }

  #zoomOut() {
    this.#choices.zoomOut(this.#view && wider(this.#view));
  }
}

/** Null if nothing is closed. @param {View} view */
function closedUpTo({ closed, window_seconds }) {
  return closed && Date.parse(closed.window_start) + window_seconds * 1_000;
}

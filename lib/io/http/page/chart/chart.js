/**
 * The chart of events per minute: stacked bars of event types.
 * @module
 */

import { find, setText } from "../dom.js";
import { BarTip } from "./bar_tip.js";
import { chartOptions, UPlot } from "./chart_options.js";
import { OTHERS } from "./palette.js";
import { ratesByType, stack } from "./stack.js";

/** @typedef {import("uplot/dist/uPlot.d.ts")} Plot */
/** @typedef {import("../../api.ts").ViewJson} View */

/**
 * @typedef {object} Shown
 * @property {View} view
 * @property {readonly number[]} colors by the place of the type
 * @property {readonly (readonly number[])[]} rates by the place of the type, then by bar
 * @property {number | null} closedUpToMs
 */

export class Chart {
  /** @type {HTMLElement} */
  #place = find("#chart");
  #tip = new BarTip();
  /** @type {Plot | null} */
  #plot = null;
  /** @type {Shown | null} */
  #shown = null;
  /** Index of the selected bar. @type {number | null} */
  #at = null;

  constructor() {
    new ResizeObserver(() => this.#resize()).observe(this.#place);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#rebuild());
    this.#place.addEventListener("keydown", (event) => this.#onKey(event));
    this.#place.addEventListener("blur", () => this.#select(null));
  }

  /**
   * @param {View} view
   * @param {{ colors: readonly number[], closedUpToMs: number | null }} options
   */
  show(view, { colors, closedUpToMs }) {
    const before = this.#shown;
    this.#shown = { view, colors: [...colors, OTHERS], rates: ratesByType(view), closedUpToMs };
    const isSame = String(before?.colors) === String(this.#shown.colors);
    if (this.#plot && isSame) this.#plot.setData(this.#data());
    else this.#rebuild();
    this.#select(this.#at);
  }

  clear() {
    this.#shown = null;
    this.#plot?.destroy();
    this.#plot = null;
  }

  /** @returns {import("uplot/dist/uPlot.d.ts").AlignedData} */
  #data() {
    if (!this.#shown) return [];
    const { view, rates } = this.#shown;
    return [view.bars.map(({ start }) => Date.parse(start) / 1000), ...stack(rates).reverse()];
  }

  #rebuild() {
    if (!this.#shown) return;
    this.#plot?.destroy();
    const options = chartOptions({
      place: this.#place,
      colors: this.#shown.colors,
      range: () => this.#range(),
      openFrom: () => this.#openFrom(),
      onCursor: (plot) => this.#onCursor(plot),
    });
    this.#plot = new UPlot(options, this.#data(), this.#place);
    this.#tip.attach(this.#plot);
    this.#select(this.#at);
  }

  /** @returns {[number, number]} in seconds */
  #range() {
    if (!this.#shown) return [0, 0];
    const { from, bars, step_seconds } = this.#shown.view;
    const start = Date.parse(from) / 1000;
    return [start, start + bars.length * step_seconds];
  }

  /** Null if all shown windows are closed, or none is. */
  #openFrom() {
    const closedUpToMs = this.#shown?.closedUpToMs ?? null;
    const [from, to] = this.#range();
    if (closedUpToMs === null || closedUpToMs / 1000 >= to) return null;
    return Math.max(from, closedUpToMs / 1000);
  }

  /** @param {Plot} plot */
  #onCursor(plot) {
    if (!this.#shown) return;
    const { left = -1 } = plot.cursor;
    const { bars, step_seconds } = this.#shown.view;
    const at = Math.floor((plot.posToVal(left, "x") - this.#range()[0]) / step_seconds);
    this.#select(left >= 0 && at >= 0 && at < bars.length ? at : null);
  }

  /** @param {KeyboardEvent} event */
  #onKey(event) {
    if (event.key === "Escape") this.#select(null);
    const steps = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity };
    const step = steps[/** @type {keyof typeof steps} */ (event.key)];
    const last = (this.#shown?.view.bars.length ?? 0) - 1;
    if (step === undefined || last < 0) return;
    event.preventDefault();
    this.#select(Math.max(0, Math.min(last, (this.#at ?? last) + step)));
    setText(find("#chart-value"), this.#tip.text);
  }

  /** @param {number | null} at */
  #select(at) {
    this.#at = at;
    if (at !== null && this.#shown && this.#plot) this.#tip.show(this.#plot, this.#shown, at);
    else this.#tip.hide();
  }

  #resize() {
    this.#plot?.setSize({ width: this.#place.clientWidth, height: this.#place.clientHeight });
    this.#select(this.#at);
  }
}

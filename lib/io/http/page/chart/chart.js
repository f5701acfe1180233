/**
 * The chart of events per minute: bars of event types that stand on one another.
 * @module
 */

import { find, setText } from "../dom.js";
import { BarTip } from "./bar_tip.js";
import { chartOptions } from "./chart_options.js";
import { OTHERS } from "./palette.js";
import { ratesByType, stack } from "./stack.js";

/** @typedef {import("../../../../core/views/window_view.ts").WindowView} WindowView */

/**
 * @typedef {object} Shown
 * @property {WindowView} view
 * @property {readonly number[]} colors by the place of the type
 * @property {readonly (readonly number[])[]} rates by the place of the type, then by bar
 * @property {number | null} closedUpToMs
 */

// Loaded before as a script of its own.
const UPlot = /** @type {any} */ (globalThis).uPlot;

export class Chart {
  /** @type {HTMLElement} */
  #place = find("#chart");
  #tip = new BarTip();
  /** @type {any} */
  #plot = null;
  /** @type {Shown | null} */
  #shown = null;
  /** The bar that is pointed at. @type {number | null} */
  #at = null;

  constructor() {
    new ResizeObserver(() => this.#resize()).observe(this.#place);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#rebuild());
    this.#place.addEventListener("keydown", (event) => this.#onKey(event));
    this.#place.addEventListener("blur", () => this.#point(null));
  }

  /**
   * @param {WindowView} view
   * @param {{ colors: readonly number[], closedUpToMs: number | null }} look
   */
  show(view, { colors, closedUpToMs }) {
    const before = this.#shown;
    this.#shown = { view, colors: [...colors, OTHERS], rates: ratesByType(view), closedUpToMs };
    const isSame = String(before?.colors) === String(this.#shown.colors);
    if (this.#plot && isSame) this.#plot.setData(this.#data());
    else this.#rebuild();
    this.#point(this.#at);
  }

  clear() {
    this.#shown = null;
    this.#plot?.destroy();
    this.#plot = null;
  }

  #data() {
    if (!this.#shown) return [];
    const { view, rates } = this.#shown;
    return [view.bars.map(({ startMs }) => startMs / 1000), ...stack(rates).reverse()];
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
    this.#point(this.#at);
  }

  /** @returns {[number, number]} in seconds */
  #range() {
    const { bars, barMs } = this.#shown?.view ?? { bars: [], barMs: 1 };
    const from = (bars[0]?.startMs ?? 0) / 1000;
    return [from, from + bars.length * barMs / 1000];
  }

  /** Null if no window that is shown is open, or all are. */
  #openFrom() {
    const closedUpToMs = this.#shown?.closedUpToMs ?? null;
    const [from, to] = this.#range();
    if (closedUpToMs === null || closedUpToMs / 1000 >= to) return null;
    return Math.max(from, closedUpToMs / 1000);
  }

  /** @param {any} plot */
  #onCursor(plot) {
    const { left } = plot.cursor;
    const { bars, barMs } = this.#shown?.view ?? { bars: [], barMs: 1 };
    const ms = plot.posToVal(left ?? -1, "x") * 1000;
    const at = Math.floor((ms - (bars[0]?.startMs ?? 0)) / barMs);
    this.#point(left >= 0 && at >= 0 && at < bars.length ? at : null);
  }

  /** @param {KeyboardEvent} event */
  #onKey(event) {
    if (event.key === "Escape") this.#point(null);
    const steps = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity };
    const step = steps[/** @type {keyof typeof steps} */ (event.key)];
    const last = (this.#shown?.view.bars.length ?? 0) - 1;
    if (step === undefined || last < 0) return;
    event.preventDefault();
    this.#point(Math.max(0, Math.min(last, (this.#at ?? last) + step)));
    setText(find("#chart-value"), this.#tip.text);
  }

  /** @param {number | null} at */
  #point(at) {
    this.#at = at;
    if (at !== null && this.#shown && this.#plot) this.#tip.show(this.#plot, this.#shown, at);
    else this.#tip.hide();
  }

  #resize() {
    this.#plot?.setSize({ width: this.#place.clientWidth, height: this.#place.clientHeight });
    this.#point(this.#at);
  }
}

/**
 * The chart of events: stacked bars of event types, before a line of the week before. A drag zooms
 * in, a click opens a bar; the keyboard does both.
 * @module
 */

import { find, setText } from "../dom.js";
import { BarTip } from "./bar_tip.js";
import { chartOptions, UPlot } from "./chart_options.js";
import { OTHERS } from "./palette.js";
import { layersOf, stack, weekAgo } from "./stack.js";

/** @typedef {import("uplot/dist/uPlot.d.ts")} Plot */
/** @typedef {import("../../api.ts").ViewJson} View */
/** @typedef {import("./bar_path.js").BarSpan} BarSpan */

/**
 * @typedef {object} Shown
 * @property {View} view
 * @property {readonly number[]} colors by the place of the type
 * @property {readonly (readonly number[])[]} layers by the place of the type, then by bar
 * @property {readonly (number | null)[]} weekAgo by bar
 * @property {readonly BarSpan[]} spans of the bars
 * @property {number | null} closedUpToMs
 * @property {number | null} openedMs start of the bar whose table is open
 */

/**
 * @typedef {object} ChartListener
 * @property {(startMs: number) => void} onOpen a bar is to be opened
 * @property {(fromMs: number, toMs: number) => void} onDrag
 * @property {(at: number | null) => void} onCloser the selected bar
 * @property {() => void} onWider
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
  /** The one that was selected when the focus left. @type {number | null} */
  #left = null;
  /** @type {ChartListener} */
  #listener;

  /** @param {ChartListener} listener */
  constructor(listener) {
    this.#listener = listener;
    new ResizeObserver(() => this.#resize()).observe(this.#place);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#rebuild());
    this.#place.addEventListener("keydown", (event) => this.#onKey(event));
    this.#place.addEventListener("blur", () => {
      this.#left = this.#at;
      this.#select(null);
    });
    // A drag ends with a click that uPlot stops on its way here.
    this.#place.addEventListener("click", ({ target }) => {
      if (target instanceof Node && this.#plot?.over.contains(target)) this.#open();
    });
  }

  /**
   * @param {View} view
   * @param {{ colors: readonly number[], isOn: readonly boolean[], closedUpToMs: number | null, openedMs: number | null }} options
   */
  show(view, { colors, isOn, closedUpToMs, openedMs }) {
    const before = this.#shown;
    this.#shown = {
      view,
      colors: [...colors, OTHERS],
      layers: layersOf(view, isOn),
      weekAgo: weekAgo(view, isOn),
      spans: view.bars.map(({ start, end }) => ({
        start: Date.parse(start) / 1000,
        end: Date.parse(end) / 1000,
      })),
      closedUpToMs,
      openedMs,
    };
    const isSame = String(before?.colors) === String(this.#shown.colors);
    if (this.#plot && isSame) this.#plot.setData(this.#data());
    else this.#rebuild();
    this.#select(this.#at !== null && this.#at < view.bars.length ? this.#at : null);
  }

  clear() {
    this.#shown = null;
    this.#plot?.destroy();
    this.#plot = null;
  }

  /** Another range has other bars. */
  unselect() {
    this.#left = null;
    this.#select(null);
  }

  /** Back to the bar where it was. */
  focus() {
    this.#place.focus();
    if (this.#at === null) this.#select(this.#left);
  }

  /** @returns {import("uplot/dist/uPlot.d.ts").AlignedData} */
  #data() {
    if (!this.#shown) return [];
    const { spans, layers } = this.#shown;
    return [spans.map(({ start }) => start), ...stack(layers).reverse()];
  }

  #rebuild() {
    if (!this.#shown) return;
    this.#plot?.destroy();
    const options = chartOptions({
      place: this.#place,
      colors: this.#shown.colors,
      range: () => this.#range(),
      spans: () => this.#shown?.spans ?? [],
      weekAgo: () => this.#shown?.weekAgo ?? [],
      openFrom: () => this.#openFrom(),
      opened: () => {
        const openedMs = this.#shown?.openedMs ?? null;
        return this.#shown?.spans.find(({ start }) => start * 1000 === openedMs) ?? null;
      },
      onCursor: (plot) => this.#onCursor(plot),
      onDrag: ({ start, end }) => this.#listener.onDrag(start * 1000, end * 1000),
    });
    this.#plot = new UPlot(options, this.#data(), this.#place);
    this.#tip.attach(this.#plot);
    this.#select(this.#at);
  }

  /** @returns {[number, number]} in seconds */
  #range() {
    if (!this.#shown) return [0, 0];
    const { from, to } = this.#shown.view;
    return [Date.parse(from) / 1000, Date.parse(to) / 1000];
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
    const { left = -1 } = plot.cursor;
    const second = plot.posToVal(left, "x");
    const at = this.#shown?.spans.findIndex(({ start, end }) => start <= second && second < end);
    this.#select(left >= 0 && at !== undefined && at >= 0 ? at : null);
  }

  /** @param {KeyboardEvent} event */
  #onKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const { key } = event;
    if (key === "Escape") this.#select(null);
    else if (key === "Enter" || key === " ") {
      event.preventDefault();
      this.#open();
    } else if (key === "+" || key === "=") this.#listener.onCloser(this.#at);
    else if (key === "-") this.#listener.onWider();
    else this.#move(event);
  }

  /** @param {KeyboardEvent} event */
  #move(event) {
    const steps = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity };
    const step = steps[/** @type {keyof typeof steps} */ (event.key)];
    const last = (this.#shown?.view.bars.length ?? 0) - 1;
    if (step === undefined || last < 0) return;
    event.preventDefault();
    this.#select(Math.max(0, Math.min(last, (this.#at ?? last) + step)));
    setText(find("#chart-value"), this.#tip.text);
  }

  #open() {
    const bar = this.#at === null ? undefined : this.#shown?.view.bars[this.#at];
    if (bar) this.#listener.onOpen(Date.parse(bar.start));
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

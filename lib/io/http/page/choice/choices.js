/**
 * What is chosen on the page, each choice as an entry of the browser's history.
 * @module
 */

import { DEFAULT_CHOICE, formatChoice, isSameRange, parseChoice } from "../address.js";

/** @typedef {import("../address.js").Choice} Choice */
/** @typedef {import("../address.js").Span} Span */
/** @typedef {Choice["range"]} Range */

export class Choices {
  /** @type {Choice} */
  #current = DEFAULT_CHOICE;
  /** What is wrong with the address. @type {readonly string[]} */
  #problems = [];
  /** Ranges that were zoomed into, the widest first. @type {readonly Range[]} */
  #wider = [];
  /** @type {() => void} */
  #onChange;

  /** @param {() => void} onChange called after each choice, and at the start */
  constructor(onChange) {
    this.#onChange = onChange;
  }

  get current() {
    return this.#current;
  }

  get problems() {
    return this.#problems;
  }

  /** The range that a zoom has left, null if there was none. */
  get widerRange() {
    return this.#wider.at(-1) ?? null;
  }

  start() {
    addEventListener("popstate", () => this.#read());
    this.#read();
  }

  /**
   * Another range closes the opened bar.
   * @param {Partial<Choice>} change
   */
  choose(change) {
    const range = change.range ?? this.#current.range;
    const isSame = isSameRange(range, this.#current.range);
    this.#push(
      { ...this.#current, ...isSame ? {} : { barMs: null }, ...change },
      isSame ? this.#wider : [],
    );
  }

  /** @param {Span} span */
  zoomIn(span) {
    const { range } = this.#current;
    if (isSameRange(span, range)) return;
    this.#push({ ...this.#current, range: span, barMs: null }, [...this.#wider, range]);
  }

  /** To the range before the zoom, or else to that one, if it is known. @param {Span | null} span */
  zoomOut(span) {
    const range = this.widerRange ?? span;
    if (range === null) return;
    this.#push({ ...this.#current, range, barMs: null }, this.#wider.slice(0, -1));
  }

  /** @param {string} lottery */
  toggleLottery(lottery) {
    const { lotteries } = this.#current;
    this.choose({
      lotteries: lotteries.includes(lottery)
        ? lotteries.filter((each) => each !== lottery)
        : [...lotteries, lottery],
    });
  }

  /** @param {string | null} type null for all that have no place of their own */
  toggleType(type) {
    const { off, isOthersOff } = this.#current;
    if (type === null) this.choose({ isOthersOff: !isOthersOff });
    else {
      const others = off.filter((each) => each !== type);
      this.choose({ off: others.length < off.length ? others : [...off, type] });
    }
  }

  /** @param {Choice} choice @param {readonly Range[]} wider */
  #push(choice, wider) {
    const search = formatChoice(choice);
    if (search === formatChoice(this.#current) && this.#problems.length === 0) return;
    history.pushState({ wider }, "", `/${search}`);
    this.#current = choice;
    this.#problems = [];
    this.#wider = wider;
    this.#onChange();
  }

  #read() {
    const { choice, problems } = parseChoice(location.search);
    this.#current = choice;
    this.#problems = problems;
    this.#wider = history.state?.wider ?? [];
    this.#onChange();
  }
}

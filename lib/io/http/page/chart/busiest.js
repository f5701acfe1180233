/**
 * The busiest lotteries, as bars by event type; a click adds one to the chosen, or removes it.
 * @module
 */

import { find, make, setText } from "../dom.js";
import { visible, whole } from "../format.js";
import { colorOf } from "./palette.js";
import { sumOf } from "./stack.js";

/** @typedef {import("../../api.ts").ViewJson} View */

const MAX_BARS = 10;

/**
 * The lotteries with their places in the view, the busiest first.
 * @param {Pick<View, "lottery_names" | "totals">} view
 * @param {readonly boolean[]} isOn by the place of the type
 * @returns {{ place: number, name: string, events: number }[]}
 */
export function ranking({ lottery_names, totals }, isOn) {
  return lottery_names
    .map((name, place) => ({ place, name, events: sumOf(totals[place] ?? [], isOn) }))
    .sort((a, b) => b.events - a.events || (a.name < b.name ? -1 : 1));
}

/** @param {readonly number[] | undefined} numbers */
export function sum(numbers) {
  return (numbers ?? []).reduce((total, each) => total + each, 0);
}

export class Busiest {
  /** @type {HTMLOListElement} */
  #list = find("#busiest");
  /** @type {(lottery: string) => void} */
  #toggle;

  /** @param {(lottery: string) => void} toggle */
  constructor(toggle) {
    this.#toggle = toggle;
  }

  /**
   * @param {View} view
   * @param {{ colors: readonly number[], isOn: readonly boolean[], chosen: readonly string[] }} options
   */
  show(view, { colors, isOn, chosen }) {
    const ranked = ranking(view, isOn);
    const shown = shownOf(ranked, chosen);
    const all = sum(view.totals.map((numbers) => sumOf(numbers, isOn)));
    const most = shown[0]?.events ?? 0;
    while (this.#list.children.length > shown.length) this.#list.lastElementChild?.remove();
    shown.forEach(({ place, name, events }, at) => {
      const row = this.#list.children[at] ?? this.#addRow();
      const button = find("button", row);
      button.dataset.name = name;
      button.ariaPressed = String(chosen.includes(name));
      setText(find(".name", row), visible(name));
      setText(find(".count", row), whole(events));
      setText(find(".share", row), all > 0 ? `${whole(events / all * 100)}%` : "");
      const numbers = (view.totals[place] ?? []).map((each, type) => isOn[type] ? each : 0);
      showBar(find(".bar", row), { numbers, most, colors });
    });
    const others = view.other_lotteries + ranked.length - shown.length;
    setText(find("#busiest-note"), others > 0 ? `and ${whole(others)} more` : "");
  }

  /** Rows are reused when numbers change, so that they keep the keyboard focus. */
  #addRow() {
    const button = make(
      "button",
      "",
      make("span", "name"),
      make("span", "count"),
      make("span", "share"),
      make("span", "bar"),
    );
    button.type = "button";
    button.addEventListener("click", () => this.#toggle(button.dataset.name));
    const row = make("li", "", button);
    this.#list.append(row);
    return row;
  }
}

/**
 * The first, and in place of their last ones the chosen ones behind them.
 * @param {ReturnType<typeof ranking>} ranked
 * @param {readonly string[]} chosen
 */
function shownOf(ranked, chosen) {
  const behind = ranked.slice(MAX_BARS).filter(({ name }) => chosen.includes(name));
  return [...ranked.slice(0, Math.max(0, MAX_BARS - behind.length)), ...behind].slice(0, MAX_BARS);
}

/**
 * @param {HTMLElement} bar
 * @param {{ numbers: readonly number[], most: number, colors: readonly number[] }} values
 */
function showBar(bar, { numbers, most, colors }) {
  while (bar.children.length > numbers.length) bar.lastElementChild?.remove();
  numbers.forEach((events, place) => {
    const part = /** @type {HTMLElement} */ (bar.children[place] ?? bar.appendChild(make("i", "")));
    part.style.background = colorOf(colors[place]);
    part.style.width = `${most > 0 ? events / most * 100 : 0}%`;
  });
}

/**
 * The busiest lotteries, as bars by event type; a click chooses one.
 * @module
 */

import { find, make, setText } from "../dom.js";
import { compact, visible, whole } from "../format.js";
import { colorOf } from "./palette.js";

/** @typedef {import("../../api.ts").ViewJson} View */

const MAX_BARS = 10;

/**
 * The lotteries with their places in the view, the busiest first.
 * @param {View} view
 * @returns {{ place: number, name: string, events: number }[]}
 */
export function ranking({ lottery_names, totals }) {
  return lottery_names
    .map((name, place) => ({ place, name, events: sum(totals[place]) }))
    .sort((a, b) => b.events - a.events || (a.name < b.name ? -1 : 1));
}

/** @param {readonly number[] | undefined} numbers */
export function sum(numbers) {
  return (numbers ?? []).reduce((total, each) => total + each, 0);
}

export class Busiest {
  /** @type {HTMLOListElement} */
  #list = find("#busiest");
  /** @type {(lotteryName: string | null) => void} */
  #choose;
  /** @type {string | null} */
  #chosen = null;

  /** @param {(lotteryName: string | null) => void} choose */
  constructor(choose) {
    this.#choose = choose;
  }

  /**
   * @param {View} view
   * @param {{ colors: readonly number[], chosen: string | null }} options
   */
  show(view, { colors, chosen }) {
    this.#chosen = chosen;
    const ranked = ranking(view);
    const shown = ranked.slice(0, MAX_BARS);
    const chosenLottery = ranked.find(({ name }) => name === chosen);
    if (chosenLottery && !shown.includes(chosenLottery)) shown.splice(-1, 1, chosenLottery);
    const all = sum(view.totals.map(sum));
    const most = shown[0]?.events ?? 0;
    while (this.#list.children.length > shown.length) this.#list.lastElementChild?.remove();
    shown.forEach(({ place, name, events }, at) => {
      const row = this.#list.children[at] ?? this.#addRow();
      const button = find("button", row);
      button.dataset.name = name;
      button.ariaPressed = String(name === chosen);
      setText(find(".name", row), visible(name));
      setText(find(".count", row), compact(events));
      setText(find(".share", row), all > 0 ? `${whole(events / all * 100)}%` : "");
      showBar(find(".bar", row), { numbers: view.totals[place] ?? [], most, colors });
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
    button.addEventListener("click", () => {
      const { name } = button.dataset;
      this.#choose(name === this.#chosen ? null : name);
    });
    const row = make("li", "", button);
    this.#list.append(row);
    return row;
  }
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

/**
 * The busiest lotteries as bars of their event types; a click on one chooses it.
 * @module
 */

import { find, make, setText } from "../dom.js";
import { compact, visible, whole } from "../format.js";
import { OTHERS } from "./palette.js";

/** @typedef {import("../../../../core/views/window_view.ts").WindowView} WindowView */

const MAX_BARS = 10;

/**
 * Places of lotteries, the busiest first.
 * @param {WindowView} view
 * @returns {{ place: number, name: string, events: number }[]}
 */
export function ranking({ lotteryNames, totals }) {
  return lotteryNames
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
   * @param {WindowView} view
   * @param {{ colors: readonly number[], chosen: string | null }} look
   */
  show(view, { colors, chosen }) {
    this.#chosen = chosen;
    const ranked = ranking(view);
    const shown = ranked.slice(0, MAX_BARS);
    const chosenLottery = ranked.find(({ name }) => name === chosen);
    if (chosenLottery && !shown.includes(chosenLottery)) shown.splice(-1, 1, chosenLottery);
    const all = view.totals.reduce((total, row) => total + sum(row), 0);
    const most = shown[0]?.events ?? 0;
    while (this.#list.children.length > shown.length) this.#list.lastElementChild?.remove();
    shown.forEach(({ place, name, events }, at) => {
      const row = this.#list.children[at] ?? this.#addRow();
      const button = find("button", row);
      button.dataset.name = name;
      button.ariaPressed = String(name === chosen);
      setText(find(".name", row), visible(name));
      setText(find(".count", row), compact(events));
      setText(find(".share", row), all > 0 ? `${whole(events / all * 100)} %` : "");
      showBar(find(".bar", row), { numbers: view.totals[place] ?? [], most, colors });
    });
    const others = view.otherLotteries + ranked.length - shown.length;
    setText(find("#busiest-note"), others > 0 ? `and ${whole(others)} more` : "");
  }

  /** Rows stay what they are while numbers change, so that the keyboard's place is not lost. */
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
    part.className = `type-${colors[place] ?? OTHERS}`;
    part.style.width = `${most > 0 ? events / most * 100 : 0}%`;
  });
}

/**
 * The chosen lotteries, each with a way to remove it.
 * @module
 */

import { find, make } from "../dom.js";
import { visible } from "../format.js";

export class Chips {
  /** @type {HTMLElement} */
  #place = find("#chosen");
  /** @type {HTMLUListElement} */
  #list = find("#chips");
  /** @type {(lottery: string) => void} */
  #remove;

  /** @param {{ remove: (lottery: string) => void, clear: () => void }} options */
  constructor({ remove, clear }) {
    this.#remove = remove;
    find("#clear-lotteries").addEventListener("click", () => {
      clear();
      find("#lottery").focus();
    });
  }

  /** @param {readonly string[]} lotteries */
  show(lotteries) {
    this.#place.hidden = lotteries.length === 0;
    find("#clear-lotteries").hidden = lotteries.length < 2;
    this.#list.replaceChildren(...lotteries.map((name) => make("li", "", this.#chipOf(name))));
  }

  /** @param {string} name */
  #chipOf(name) {
    const cross = make("span", "", "×");
    cross.ariaHidden = "true";
    const chip = make("button", "chip", make("span", "", visible(name)), cross);
    chip.type = "button";
    chip.title = "Remove";
    chip.ariaLabel = `Remove ${visible(name)}`;
    chip.addEventListener("click", () => this.#removeAndFocus(chip, name));
    chip.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
      if (event.key !== "Delete" && event.key !== "Backspace") return;
      event.preventDefault();
      this.#removeAndFocus(chip, name);
    });
    return chip;
  }

  /** The focus moves to the next chip, or to the box. @param {HTMLElement} chip @param {string} name */
  #removeAndFocus(chip, name) {
    const at = [...this.#list.children].findIndex((each) => each.contains(chip));
    this.#remove(name);
    const { children } = this.#list;
    const next = children[Math.min(at, children.length - 1)];
    (next ? find("button", next) : find("#lottery")).focus();
  }
}

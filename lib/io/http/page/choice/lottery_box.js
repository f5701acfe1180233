/**
 * A combobox to choose lotteries by any part of their names, one after the other; the server does the
 * search.
 * @see https://www.w3.org/WAI/ARIA/apg/patterns/combobox/
 * @module
 */

import { MAX_LOTTERIES, quoted } from "../address.js";
import { getJson } from "../api.js";
import { find, make, setText } from "../dom.js";
import { visible } from "../format.js";

/** @typedef {import("../../api.ts").LotteriesJson} Lotteries */

/** Pause in typing after which the search starts. */
const TYPING_MS = 150;

export class LotteryBox {
  /** @type {HTMLInputElement} */
  #input = find("#lottery");
  /** @type {HTMLElement} */
  #popup = find("#lottery-popup");
  /** @type {HTMLElement} */
  #list = find("#lottery-list");
  /** Values of the options; null for all lotteries. @type {(string | null)[]} */
  #names = [];
  /** Index of the option that the keyboard has selected. @type {number | null} */
  #active = null;
  /** @type {readonly string[]} */
  #chosen = [];
  #searching = new AbortController();
  /** Resolves when the latest search has ended. */
  #latest = Promise.resolve();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #typing;
  /** @type {(lotteries: readonly string[]) => void} */
  #choose;

  /** @param {(lotteries: readonly string[]) => void} choose */
  constructor(choose) {
    this.#choose = choose;
    this.#input.addEventListener("input", () => this.#searchSoon());
    this.#input.addEventListener("click", () => this.#open());
    this.#input.addEventListener("keydown", (event) => this.#onKey(event));
    this.#input.addEventListener("blur", () => this.show(this.#chosen));
    // The press would move the focus, which would close the list before the click.
    this.#popup.addEventListener("mousedown", (event) => event.preventDefault());
    this.#list.addEventListener("click", ({ target }) => {
      const at = [...this.#list.children].findIndex((option) =>
        target instanceof Node && option.contains(target)
      );
      if (at >= 0) this.#take(this.#names[at] ?? null);
    });
  }

  /** @param {readonly string[]} lotteries the chosen ones, none for all */
  show(lotteries) {
    this.#chosen = lotteries;
    this.#input.value = "";
    this.#input.placeholder = lotteries.length === 0 ? "All lotteries" : "Add a lottery";
    this.#close();
  }

  get #isOpen() {
    return !this.#popup.hidden;
  }

  #open() {
    if (!this.#isOpen) this.#search("");
  }

  #close() {
    this.#stopTyping();
    this.#searching.abort();
    this.#popup.hidden = true;
    this.#input.ariaExpanded = "false";
    this.#activate(null);
  }

  #searchSoon() {
    this.#stopTyping();
    this.#typing = setTimeout(() => this.#search(this.#input.value), TYPING_MS);
  }

  #stopTyping() {
    clearTimeout(this.#typing);
    this.#typing = undefined;
  }

  /** @param {string} text */
  #search(text) {
    this.#latest = this.#ask(text);
  }

  /** @param {string} text */
  async #ask(text) {
    this.#stopTyping();
    this.#searching.abort();
    const { signal } = this.#searching = new AbortController();
    const parameters = new URLSearchParams({ search: text });
    try {
      const answer = await getJson(`/api/lotteries?${parameters}`, { signal });
      if (!signal.aborted) this.#offer(answer, text);
    } catch (/** @type {any} */ error) {
      if (!signal.aborted) this.#offer({ lotteries: [], truncated: false }, text, error.message);
    }
  }

  /**
   * @param {Lotteries} answer
   * @param {string} text the search
   * @param {string} [problem]
   */
  #offer({ lotteries, truncated }, text, problem) {
    this.#names = text === "" ? [null, ...lotteries] : [...lotteries];
    this.#list.replaceChildren(...this.#names.map((name, at) => {
      const label = name === null ? "All lotteries" : visible(name);
      const isChosen = name === null ? this.#chosen.length === 0 : this.#chosen.includes(name);
      const option = make("li", isChosen ? "chosen" : "", label);
      if (isChosen && name !== null) option.append(make("span", "hidden", ", chosen"));
      option.id = `lottery-${at}`;
      option.setAttribute("role", "option");
      return option;
    }));
    const notes = {
      none: `No lottery matches ${quoted(text)}.`,
      more: "There are more: type part of a name.",
      all: lotteries.length === 1 ? "1 lottery" : `${lotteries.length} lotteries`,
    };
    const note = problem ??
      (lotteries.length === 0 && text !== "" ? notes.none : truncated ? notes.more : notes.all);
    setText(find("#lottery-note"), note);
    this.#popup.hidden = false;
    this.#input.ariaExpanded = "true";
    this.#activate(text !== "" && lotteries.length > 0 ? 0 : null);
  }

  /** @param {number | null} at */
  #activate(at) {
    this.#active = at;
    [...this.#list.children].forEach((option, place) => option.ariaSelected = String(place === at));
    if (at === null) this.#input.removeAttribute("aria-activedescendant");
    else this.#input.setAttribute("aria-activedescendant", `lottery-${at}`);
    if (at !== null) this.#list.children[at]?.scrollIntoView({ block: "nearest" });
  }

  /** @param {KeyboardEvent} event */
  #onKey(event) {
    const steps = { ArrowDown: 1, ArrowUp: -1 };
    const step = steps[/** @type {keyof typeof steps} */ (event.key)];
    if (step !== undefined) {
      event.preventDefault();
      if (!this.#isOpen) this.#open();
      else this.#move(step);
    } else if (event.key === "Enter") {
      event.preventDefault();
      void this.#enter();
    } else if (event.key === "Escape" && (this.#isOpen || this.#input.value !== "")) {
      event.preventDefault();
      this.show(this.#chosen);
    } else if (event.key === "Backspace" && this.#input.value === "" && this.#chosen.length > 0) {
      event.preventDefault();
      this.#choose(this.#chosen.slice(0, -1));
    }
  }

  /** Takes the selected option, or else the text: a lottery may have no counts yet. */
  async #enter() {
    const text = this.#input.value;
    if (this.#typing !== undefined) this.#search(text);
    const { signal } = this.#searching;
    await this.#latest;
    if (signal.aborted) return; // closed, or typing continues
    if (this.#active !== null) this.#take(this.#names[this.#active] ?? null);
    else if (text !== "") this.#take(text);
  }

  /** @param {number} step */
  #move(step) {
    const { length } = this.#names;
    if (length === 0) return;
    const from = this.#active ?? (step > 0 ? -1 : length);
    this.#activate((from + step + length) % length);
  }

  /** A name that is already chosen is removed. @param {string | null} name null for all */
  #take(name) {
    const others = this.#chosen.filter((each) => each !== name);
    if (name !== null && others.length === MAX_LOTTERIES) {
      setText(find("#lottery-note"), `At most ${MAX_LOTTERIES} lotteries can be chosen.`);
      return;
    }
    const isRemoved = others.length < this.#chosen.length;
    this.#choose(name === null ? [] : isRemoved ? others : [...others, name]);
    this.show(this.#chosen); // also if nothing has changed
  }
}

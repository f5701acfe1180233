/**
 * The choice of a range: one that ends now, or from a time to another.
 * @module
 */

import { find, setText } from "../dom.js";
import { zone } from "../format.js";
import { spanText, toLocalInput } from "../times.js";

/** @typedef {import("../address.js").Choice} Choice */
/** @typedef {import("../address.js").Span} Span */

const HOUR_MS = 3_600_000;

export class RangeBox {
  /** @type {HTMLButtonElement} */
  #button = find("#span");
  /** @type {HTMLFormElement} */
  #form = find("#span-form");
  /** What the view shows. @type {Span} */
  #shown = { fromMs: Date.now() - HOUR_MS, toMs: Date.now() };

  /** @param {(range: Choice["range"]) => void} choose */
  constructor(choose) {
    find("#ranges").addEventListener("change", () => choose(find("#ranges :checked").value));
    this.#button.addEventListener("click", () => this.#toggle(this.#form.hidden === true));
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      const [fromMs, toMs] = ["#from", "#to"].map((each) => Date.parse(find(each).value));
      const problem = this.#problemOf(fromMs ?? NaN, toMs ?? NaN);
      setText(find("#span-problem"), problem);
      if (problem !== "") return;
      this.#toggle(false);
      choose({ fromMs: fromMs ?? 0, toMs: toMs ?? 0 });
    });
    const box = find("#span-box");
    box.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
      if (event.key !== "Escape" || this.#form.hidden) return;
      event.preventDefault();
      this.#toggle(false);
      this.#button.focus();
    });
    addEventListener("pointerdown", ({ target }) => {
      if (target instanceof Node && !box.contains(target)) this.#toggle(false);
    });
  }

  /** @param {Choice["range"]} range the chosen one */
  show(range) {
    const isSpan = typeof range === "object";
    for (const radio of document.querySelectorAll("#ranges input")) {
      /** @type {HTMLInputElement} */ (radio).checked =
        /** @type {HTMLInputElement} */ (radio).value === range;
    }
    this.#button.ariaPressed = String(isSpan);
    const text = isSpan ? spanText(range.fromMs, range.toMs) : "From – to";
    setText(find("span", this.#button), text);
    if (isSpan) this.#shown = range;
  }

  /** The times that the form proposes. @param {Span} span */
  propose(span) {
    this.#shown = span;
  }

  /** @param {boolean} isOpen */
  #toggle(isOpen) {
    if (this.#form.hidden !== isOpen) return;
    this.#form.hidden = !isOpen;
    this.#button.ariaExpanded = String(isOpen);
    if (!isOpen) return;
    find("#from").value = toLocalInput(this.#shown.fromMs);
    find("#to").value = toLocalInput(this.#shown.toMs);
    setText(find("#span-zone"), `Times are in the zone ${zone()}.`);
    setText(find("#span-problem"), "");
    find("#from").focus();
  }

  /** @param {number} fromMs @param {number} toMs */
  #problemOf(fromMs, toMs) {
    if (Number.isNaN(fromMs) || Number.isNaN(toMs)) return "Enter both times.";
    return fromMs < toMs ? "" : "The first time must be before the second.";
  }
}

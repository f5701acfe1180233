/**
 * Colours of the event types, each with its events in the range; a click switches a type off.
 * @module
 */

import { find, make, setText } from "../dom.js";
import { visible, whole } from "../format.js";
import { sum } from "./busiest.js";
import { colorOf } from "./palette.js";

/** @typedef {import("../../api.ts").ViewJson} View */

export class Legend {
  /** @type {HTMLUListElement} */
  #list = find("#legend");
  #week = make("li", "week", make("i", "week-mark"), "week before");
  /** Buttons by type; null for all that share the last place. @type {Map<string | null, any>} */
  #buttons = new Map();
  /** @type {(type: string | null) => void} */
  #toggle;

  /** @param {(type: string | null) => void} toggle */
  constructor(toggle) {
    this.#toggle = toggle;
  }

  /**
   * Buttons are reused when numbers change, so that they keep the keyboard focus.
   * @param {View} view
   * @param {{ colors: readonly number[], isOn: readonly boolean[] }} options
   */
  show({ bars, event_types }, { colors, isOn }) {
    const items = [...event_types, null].flatMap((type, place) => {
      const events = sum(bars.map((bar) => bar.events[place] ?? 0));
      const isShown = isOn[place] ?? true;
      if (events === 0 && isShown) return [];
      const button = this.#buttonOf(type);
      button.ariaPressed = String(isShown);
      button.title = isShown ? "Switch off" : "Switch on";
      find(".swatch", button).style.setProperty("--color", colorOf(colors[place]));
      setText(find("b", button), whole(events));
      return [button.parentElement];
    });
    if (bars.some(({ week_ago }) => week_ago !== null)) items.push(this.#week);
    const isSame = items.length === this.#list.children.length &&
      items.every((item, at) => item === this.#list.children[at]);
    if (!isSame) this.#list.replaceChildren(...items);
  }

  /** @param {string | null} type */
  #buttonOf(type) {
    const known = this.#buttons.get(type);
    if (known) return known;
    const name = type === null ? "others" : visible(type);
    const button = make("button", "", make("i", "swatch"), `${name} `, make("b", ""));
    button.type = "button";
    button.addEventListener("click", () => this.#toggle(type));
    make("li", "", button);
    this.#buttons.set(type, button);
    return button;
  }
}

/**
 * Lotteries whose business has stopped; a click adds one to the chosen, or removes it.
 * @module
 */

import { find, make, setText } from "../dom.js";
import { clock, otherDay, visible, whole } from "../format.js";

/** @typedef {import("../../api.ts").StatusJson} Status */
/** @typedef {Status["quiet"][number]} Quiet */

const MAX_SHOWN = 10;

export class QuietList {
  /** @type {HTMLElement} */
  #card = find("#quiet");
  /** @type {HTMLUListElement} */
  #list = find("ul", this.#card);
  /** @type {(lottery: string) => void} */
  #toggle;

  /** @param {(lottery: string) => void} toggle */
  constructor(toggle) {
    this.#toggle = toggle;
  }

  /**
   * @param {Pick<Status, "quiet" | "quiet_lotteries">} status
   * @param {readonly string[]} chosen
   */
  show({ quiet, quiet_lotteries }, chosen) {
    this.#card.hidden = quiet.length === 0;
    const shown = quiet.slice(0, MAX_SHOWN);
    while (this.#list.children.length > shown.length) this.#list.lastElementChild?.remove();
    shown.forEach((lottery, at) => {
      const row = this.#list.children[at] ?? this.#addRow();
      const button = find("button", row);
      button.dataset.name = lottery.lottery_name;
      button.ariaPressed = String(chosen.includes(lottery.lottery_name));
      setText(find(".name", row), visible(lottery.lottery_name));
      setText(find(".type", row), visible(lottery.event_type));
      setText(find(".since", row), sinceText(lottery));
      setText(find(".events", row), eventsText(lottery));
    });
    const others = (quiet_lotteries ?? 0) - shown.length;
    setText(
      find("#quiet-note"),
      "far fewer events than the same time of other weeks" +
        (others > 0 ? `, and ${whole(others)} more` : ""),
    );
  }

  /** Rows are reused when numbers change, so that they keep the keyboard focus. */
  #addRow() {
    const button = make("button", "", make("span", "name"), make("span", "type"));
    button.type = "button";
    button.addEventListener("click", () => this.#toggle(button.dataset.name));
    const row = make("li", "", button, make("span", "since"), make("span", "events"));
    this.#list.append(row);
    return row;
  }
}

/** @param {Quiet} lottery */
function sinceText({ quiet_since }) {
  const sinceMs = Date.parse(quiet_since);
  return `since ${[otherDay(sinceMs), clock(sinceMs, 60_000)].filter(Boolean).join(", ")}`;
}

/** @param {Quiet} lottery */
function eventsText({ events, expected, weeks }) {
  const by = weeks === 1 ? "week" : `${weeks} weeks`;
  return `${whole(events)} of ${whole(expected)} expected events, by the last ${by}`;
}

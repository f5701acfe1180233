/**
 * The last dead letters, in a dialog, asked for when it is opened.
 * @module
 */

import { find, make, setText } from "../dom.js";
import { age, visible, whole } from "../format.js";

/** @typedef {import("../../api.ts").LettersJson} Letters */
/** @typedef {Letters["dead_letters"][number]} Letter */

const MOST = 20;

export class LettersDialog {
  /** @type {HTMLDialogElement} */
  #dialog = find("#letters");

  constructor() {
    find("#show-letters").addEventListener("click", () => void this.#open());
    find(".close", this.#dialog).addEventListener("click", () => this.#dialog.close());
    this.#dialog.addEventListener("click", ({ target }) => {
      if (target === this.#dialog) this.#dialog.close(); // beside it
    });
  }

  async #open() {
    const note = find("#letters-note");
    const list = find(".letters", this.#dialog);
    setText(note, "Asking …");
    list.replaceChildren();
    this.#dialog.showModal();
    try {
      const response = await fetch(`/api/dead-letters?limit=${MOST}`);
      const answer = await response.json();
      if (!response.ok) throw new Error(answer.error);
      const letters = /** @type {Letters} */ (answer).dead_letters;
      setText(
        note,
        letters.length === 0
          ? "There is none: every record was an event."
          : "Records that could not be counted, kept with their reason. The newest first.",
      );
      list.replaceChildren(...letters.map(toItem));
    } catch (error) {
      setText(note, error instanceof Error ? error.message : "The server does not answer.");
    }
  }
}

/** @param {Letter} letter */
function toItem({ partition, offset, reason, received_at, replayed_at, value }) {
  const ago = `${age(Date.now() - Date.parse(received_at))} ago`;
  return make(
    "li",
    "",
    make(
      "p",
      "",
      make("b", "reason", visible(reason)),
      make("span", "muted", `partition ${partition}, offset ${whole(offset)} · ${ago}`),
      ...replayed_at === null ? [] : [make("span", "replayed", "replayed")],
    ),
    make("pre", "", valueText(value)),
  );
}

/** @param {Letter["value"]} value */
function valueText(value) {
  if (value === null) return "no value (a tombstone)";
  if (value.bytes === 0) return "an empty value";
  const rest = value.truncated ? ` … (${whole(value.bytes)} bytes)` : "";
  return visible(value.text) + rest;
}

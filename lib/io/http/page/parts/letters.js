/**
 * A dialog with the dead letters of the range by reason, and the latest ones; they are loaded when it
 * opens.
 * @module
 */

import { getJson } from "../api.js";
import { find, make, setText } from "../dom.js";
import { age, visible, whole } from "../format.js";
import { showReasons } from "./letter_reasons.js";

/** @typedef {import("../../api.ts").LettersJson} Letters */
/** @typedef {import("../address.js").Choice} Choice */
/** @typedef {Letters["dead_letters"][number]} Letter */

const LIMIT = 20;

export class LettersDialog {
  /** @type {HTMLDialogElement} */
  #dialog = find("#letters");

  /** @param {{ open: () => void, close: () => void }} options what was asked for */
  constructor({ open, close }) {
    find("#show-letters").addEventListener("click", open);
    find(".close", this.#dialog).addEventListener("click", () => this.#dialog.close());
    this.#dialog.addEventListener("click", ({ target }) => {
      if (target === this.#dialog) this.#dialog.close(); // the backdrop
    });
    this.#dialog.addEventListener("close", close);
  }

  /** @param {Choice} choice @param {number} nowMs the server's clock */
  show({ hasLetters, range }, nowMs) {
    if (hasLetters === this.#dialog.open) return;
    if (!hasLetters) {
      this.#dialog.close();
      return;
    }
    this.#dialog.showModal();
    void showReasons(range, nowMs);
    void this.#load();
  }

  async #load() {
    const note = find("#letters-note");
    const list = find(".letters", this.#dialog);
    setText(note, "Loading …");
    list.replaceChildren();
    try {
      /** @type {Letters} */
      const { dead_letters: letters } = await getJson(`/api/dead-letters?limit=${LIMIT}`);
      setText(
        note,
        letters.length === 0
          ? "No dead letters: every record was a valid event."
          : "Records that could not be counted, newest first.",
      );
      list.replaceChildren(...letters.map(toItem));
    } catch (/** @type {any} */ error) {
      setText(note, error.message);
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
  if (value === null) return "no value (tombstone)";
  if (value.bytes === 0) return "empty value";
  const rest = value.truncated ? ` … (${whole(value.bytes)} bytes)` : "";
  return visible(value.text) + rest;
}

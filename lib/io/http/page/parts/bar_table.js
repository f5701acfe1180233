/**
 * The table of the bar that was opened, by lottery and event type, with the change from the same time
 * a week ago. It is read again as long as the bar is still filling.
 * @module
 */

import { getJson } from "../api.js";
import { percentMark } from "../change_mark.js";
import { sum } from "../chart/busiest.js";
import { sumOf } from "../chart/stack.js";
import { find, make, setText } from "../dom.js";
import { visible, whole } from "../format.js";
import { shownTypes } from "../shown_types.js";
import { spanText, timeText } from "../times.js";
import { showTable } from "./table.js";

/** @typedef {import("../../api.ts").ViewJson} View */
/** @typedef {import("../../counts/json.ts").TotalsJson} Totals */
/** @typedef {import("../address.js").Choice} Choice */
/** @typedef {import("../address.js").Span} Span */

/** The latest one. @typedef {{ key: string, atMs: number, isRunning: boolean }} Request */

/** Between two requests of a bar that is still filling: a part of its length. */
const REFRESHES_PER_BAR = 30;
const MIN_REFRESH_MS = 2_000;
const MAX_REFRESH_MS = 15_000;

/**
 * @typedef {object} BarTableOptions
 * @property {import("../chart/palette.js").Palette} palette
 * @property {() => void} onClose
 * @property {(span: Span) => void} onZoom
 */

export class BarTable {
  /** @type {HTMLElement} */
  #card = find("#bar");
  /** @type {BarTableOptions} */
  #options;
  /** @type {Choice | null} */
  #choice = null;
  /** The opened bar, as the view has it. @type {Span | null} */
  #bar = null;
  /** What is shown. @type {{ key: string, lotteries: readonly string[], totals: Totals } | null} */
  #shown = null;
  /** @type {Request | null} */
  #asked = null;

  /** @param {BarTableOptions} options */
  constructor(options) {
    this.#options = options;
    find(".close", this.#card).addEventListener("click", () => options.onClose());
    find("#bar-zoom").addEventListener("click", () => {
      if (this.#bar) options.onZoom(this.#bar);
    });
    this.#card.addEventListener("keydown", ({ key }) => {
      if (key === "Escape") options.onClose();
    });
  }

  /** @param {Choice} choice */
  choose(choice) {
    const isSameBar = choice.barMs === this.#choice?.barMs;
    this.#choice = choice;
    this.#card.hidden = choice.barMs === null;
    if (!isSameBar) {
      this.#bar = null;
      this.#shown = this.#asked = null;
      find(".scroll", this.#card).replaceChildren();
      setText(find("#bar-title"), "…");
      find("#bar-note").replaceChildren();
    }
    this.#render();
  }

  /** Scrolls to it, and moves the focus there. */
  reveal() {
    this.#card.scrollIntoView({ block: "nearest" });
    find("#bar-title").focus({ preventScroll: true });
  }

  /** As long as there are no counts at all. */
  hide() {
    this.#card.hidden = true;
  }

  /**
   * @param {View} view
   * @param {number | null} closedUpToMs
   */
  show(view, closedUpToMs) {
    const barMs = this.#choice?.barMs ?? null;
    this.#card.hidden = barMs === null;
    if (barMs === null) return;
    const bar = view.bars.find(({ start, end }) =>
      Date.parse(start) <= barMs && barMs < Date.parse(end)
    );
    if (bar) this.#bar = { fromMs: Date.parse(bar.start), toMs: Date.parse(bar.end) };
    if (!this.#bar) {
      setText(find("#bar-title"), timeText(barMs));
      setText(find("#bar-note"), "This bar is not in the range that is shown.");
      return;
    }
    const { fromMs, toMs } = this.#bar;
    find("#bar-zoom").hidden = toMs - fromMs <= view.window_seconds * 1_000;
    setText(find("#bar-title"), spanText(fromMs, toMs, { hasWeekday: true }));
    void this.#refresh(closedUpToMs, view.zone);
  }

  /**
   * What is closed of a bar that is still filling can be compared with the same time a week ago.
   * @param {number | null} closedUpToMs
   * @param {string} zone
   */
  async #refresh(closedUpToMs, zone) {
    if (!this.#bar || !this.#choice) return;
    const { fromMs, toMs } = this.#bar;
    const isPart = closedUpToMs !== null && fromMs < closedUpToMs && closedUpToMs < toMs;
    const { lotteries } = this.#choice;
    const key = JSON.stringify([fromMs, lotteries]);
    if (!this.#isDue(key, toMs - fromMs)) return;
    /** @type {Request} */
    const asked = { key, atMs: performance.now(), isRunning: true };
    this.#asked = asked;
    const untilMs = isPart ? closedUpToMs : toMs;
    const parameters = new URLSearchParams({
      from: new Date(fromMs).toISOString(),
      to: new Date(untilMs).toISOString(),
      zone,
    });
    for (const name of lotteries) parameters.append("lottery", name);
    try {
      /** @type {Totals} */
      const totals = await getJson(`/api/totals?${parameters}`);
      if (asked !== this.#asked) return;
      const closed = totals.closed && !isPart;
      this.#shown = { key, lotteries, totals: { ...totals, closed } };
      this.#render();
    } catch (/** @type {any} */ error) {
      if (asked === this.#asked) setText(find("#bar-note"), error.message);
    } finally {
      asked.isRunning = false;
    }
  }

  /** @param {string} key @param {number} barMs its length */
  #isDue(key, barMs) {
    if (this.#asked?.key !== key) return true;
    if (this.#asked.isRunning) return false;
    if (this.#shown?.key === key && this.#shown.totals.closed) return false;
    const restMs = Math.min(MAX_REFRESH_MS, Math.max(MIN_REFRESH_MS, barMs / REFRESHES_PER_BAR));
    return performance.now() - this.#asked.atMs >= restMs;
  }

  #render() {
    if (!this.#shown || !this.#choice || !this.#bar) return;
    const { totals, lotteries } = this.#shown;
    const { closed, event_types, to } = totals;
    const isOn = shownTypes(event_types, this.#choice);
    const colors = this.#options.palette.colorsOf(event_types);
    const isWhole = closed || Date.parse(to) < this.#bar.toMs;
    const before = isWhole ? totals.totals_week_ago : null;
    /** @param {readonly (readonly number[])[]} rows */
    const all = (rows) => sum(rows.map((row) => sumOf(row, isOn)));
    const events = all(totals.totals);
    const mark = before && percentMark(events, all(before));
    find("#bar-note").replaceChildren(
      ...lotteries.length > 0 && lotteries.length <= 2
        ? [`${lotteries.map(visible).join(" + ")}: `]
        : [],
      make("b", "", `${whole(events)} events`),
      ...closed ? [] : [" so far"],
      ...mark ? [" ", mark, " from a week before"] : [],
    );
    showTable(find(".scroll", this.#card), {
      names: totals,
      events: totals.totals,
      before,
      compared: "percent",
      colors,
      isOn,
      chosen: lotteries,
    });
  }
}

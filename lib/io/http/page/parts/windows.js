/**
 * The tables of the current window and of the last closed one; of that with the change from the same
 * window a week ago, or from the one before as long as there is no such week.
 * @module
 */

import { find, make, setText } from "../dom.js";
import { clock, otherDay } from "../format.js";
import { showTable } from "./table.js";

/** @typedef {import("../../api.ts").ViewJson} View */

/**
 * @param {View} view
 * @param {Pick<import("./table.js").TableContent, "colors" | "isOn" | "chosen"> & { windowMs: number }} options
 */
export function showWindows(view, { windowMs, ...look }) {
  const { current, closed } = view;
  const weekAgo = closed?.events_week_ago ?? null;
  showWindow("current", {
    startMs: Date.parse(current.window_start),
    windowMs,
    note: "so far",
    content: { names: view, events: current.events, before: null, compared: "percent", ...look },
  });
  if (closed) {
    showWindow("closed", {
      startMs: Date.parse(closed.window_start),
      windowMs,
      note: weekAgo ? "with change from a week before" : "with change from the window before",
      content: {
        names: view,
        events: closed.events,
        before: weekAgo ?? closed.events_before,
        compared: weekAgo ? "percent" : "number",
        ...look,
      },
    });
    return;
  }
  setText(find("#window-closed .head p"), "");
  find("#window-closed .scroll").replaceChildren(make("p", "empty", "No closed window yet."));
}

/**
 * @param {"current" | "closed"} name
 * @param {{ startMs: number, windowMs: number, note: string, content: import("./table.js").TableContent }} window
 */
function showWindow(name, { startMs, windowMs, note, content }) {
  const card = find(`#window-${name}`);
  setText(find(".head p", card), `${span(startMs, windowMs)}, ${note}`);
  showTable(find(".scroll", card), content);
}

/**
 * Start and end of a window, with the day if it is not today.
 * @param {number} startMs
 * @param {number} sizeMs
 */
function span(startMs, sizeMs) {
  const day = otherDay(startMs);
  const times = `${clock(startMs, sizeMs)} – ${clock(startMs + sizeMs, sizeMs)}`;
  return day === "" ? times : `${day}, ${times}`;
}

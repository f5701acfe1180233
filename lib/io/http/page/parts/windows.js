/**
 * The table of one window by lottery and event type; of a closed window, with the change from the
 * one before.
 * @module
 */

import { ranking, sum } from "../chart/busiest.js";
import { swatch } from "../chart/palette.js";
import { make } from "../dom.js";
import { change, visible, whole } from "../format.js";

/** @typedef {import("../../api.ts").ViewJson} View */

/**
 * @param {HTMLElement} place
 * @param {{ view: View, events: View["current"] | View["closed"], colors: readonly number[], chosen: string | null }} content
 */
export function showWindow(place, { view, events, colors, chosen }) {
  if (events === null) {
    place.replaceChildren(make("p", "empty", "No closed window yet."));
    return;
  }
  const eventsBefore = "events_before" in events ? events.events_before : null;
  const others = view.event_types.length;
  const hasOthers = [...events.events, ...eventsBefore ?? []].some((row) => (row[others] ?? 0) > 0);
  const columns = [...view.event_types.keys(), ...hasOthers ? [others] : []];
  const titles = columns.map((type) =>
    heading(visible(view.event_types[type] ?? "others"), swatch(colors[type]))
  );
  const rows = rowsOf(view, chosen).map(({ name, place }) => {
    const before = eventsBefore && (eventsBefore[place] ?? []);
    return row(name, { now: events.events[place] ?? [], before, columns });
  });
  if (rows.length === 0) {
    place.replaceChildren(make("p", "empty", `No recent events of ${visible(chosen ?? "")}.`));
    return;
  }
  place.replaceChildren(make(
    "table",
    "",
    make("thead", "", make("tr", "", heading("Lottery"), heading("All"), ...titles)),
    make("tbody", "", ...rows),
  ));
}

/**
 * All lotteries with the rest as one, or only the chosen one.
 * @param {View} view
 * @param {string | null} chosen
 */
function rowsOf(view, chosen) {
  const ranked = ranking(view);
  if (chosen !== null) return ranked.filter(({ name }) => name === chosen);
  const others = { place: ranked.length, name: `${whole(view.other_lotteries)} others` };
  return view.other_lotteries > 0 ? [...ranked, others] : ranked;
}

/** @param {...(string | Node)} children */
function heading(...children) {
  const cell = make("th", "", ...children);
  cell.scope = "col";
  return cell;
}

/**
 * @param {string} name
 * @param {{ now: readonly number[], before: readonly number[] | null, columns: readonly number[] }} numbers
 */
function row(name, { now, before, columns }) {
  const title = make("th", "", make("span", "", visible(name)));
  title.scope = "row";
  return make(
    "tr",
    "",
    title,
    cell(sum(now), before && sum(before)),
    ...columns.map((type) => cell(now[type] ?? 0, before && (before[type] ?? 0))),
  );
}

/**
 * @param {number} now
 * @param {number | null} before null without a window to compare with
 */
function cell(now, before) {
  const isZero = now === 0 && !before;
  return make(
    "td",
    isZero ? "zero" : "",
    whole(now),
    ...before === null ? [] : [difference(now - before)],
  );
}

/** @param {number} value */
function difference(value) {
  const direction = value === 0 ? "" : value > 0 ? "up" : "down";
  return make("small", direction, change(value));
}

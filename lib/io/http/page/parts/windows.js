/**
 * Tables of lottery and event type for one window; if it is closed, with the change against the
 * window before.
 * @module
 */

import { ranking, sum } from "../chart/busiest.js";
import { OTHERS } from "../chart/palette.js";
import { make } from "../dom.js";
import { change, visible, whole } from "../format.js";

/** @typedef {import("../../../../core/views/window_view.ts").WindowView} WindowView */
/** @typedef {import("../../../../core/views/window_view.ts").WindowEvents} WindowEvents */
/** @typedef {import("../../../../core/views/window_view.ts").ClosedWindowEvents} ClosedWindowEvents */

/**
 * @param {HTMLElement} place
 * @param {{ view: WindowView, events: WindowEvents | ClosedWindowEvents | null, colors: readonly number[], chosen: string | null }} content
 */
export function showWindow(place, { view, events, colors, chosen }) {
  if (events === null) {
    place.replaceChildren(make("p", "empty", "No window is closed yet."));
    return;
  }
  const eventsBefore = "eventsBefore" in events ? events.eventsBefore : null;
  const others = view.eventTypes.length;
  const hasOthers = [...events.events, ...eventsBefore ?? []].some((row) => (row[others] ?? 0) > 0);
  const columns = [...view.eventTypes.keys(), ...hasOthers ? [others] : []];
  const titles = columns.map((type) =>
    heading(
      visible(view.eventTypes[type] ?? "others"),
      make("i", `swatch type-${colors[type] ?? OTHERS}`),
    )
  );
  const rows = rowsOf(view, chosen).map(({ name, place }) => {
    const before = eventsBefore && (eventsBefore[place] ?? []);
    return row(name, { now: events.events[place] ?? [], before, columns });
  });
  if (rows.length === 0) {
    place.replaceChildren(make("p", "empty", `No events of ${visible(chosen ?? "")} lately.`));
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
 * The lotteries to show: those of the view with the others, or the chosen one.
 * @param {WindowView} view
 * @param {string | null} chosen
 */
function rowsOf(view, chosen) {
  const ranked = ranking(view);
  if (chosen !== null) return ranked.filter(({ name }) => name === chosen);
  const others = { place: ranked.length, name: `${whole(view.otherLotteries)} others` };
  return view.otherLotteries > 0 ? [...ranked, others] : ranked;
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
 * @param {number | null} before null if there is nothing to compare with
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
  const direction = value === 0 ? "same" : value > 0 ? "up" : "down";
  return make("small", direction, change(value));
}

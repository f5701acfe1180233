/**
 * Tables of lottery and event type for one window, with the change against the window before.
 * @module
 */

import { ranking, sum } from "./busiest.js";
import { make } from "./dom.js";
import { change, visible, whole } from "./format.js";
import { OTHERS } from "./palette.js";

/** @typedef {import("../core/window_view.ts").WindowView} WindowView */
/** @typedef {import("../core/window_view.ts").WindowEvents} WindowEvents */

/**
 * @param {HTMLElement} place
 * @param {{ view: WindowView, events: WindowEvents | null, colors: readonly number[], chosen: string | null }} content
 */
export function showWindow(place, { view, events, colors, chosen }) {
  if (events === null) {
    place.replaceChildren(make("p", "empty", "No window is closed yet."));
    return;
  }
  const columns = [
    ...view.eventTypes.keys(),
    ...hasOthers(events, view) ? [view.eventTypes.length] : [],
  ];
  const titles = columns.map((type) =>
    heading(
      visible(view.eventTypes[type] ?? "others"),
      make("i", `swatch type-${colors[type] ?? OTHERS}`),
    )
  );
  const rows = rowsOf(view, chosen).map(({ name, place }) => {
    const [now, before] = [events.events[place] ?? [], events.eventsBefore[place] ?? []];
    return row(name, { now, before, columns });
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

/**
 * @param {WindowEvents} events
 * @param {WindowView} view
 */
function hasOthers({ events, eventsBefore }, { eventTypes: { length } }) {
  return [...events, ...eventsBefore].some((row) => (row[length] ?? 0) > 0);
}

/** @param {...(string | Node)} children */
function heading(...children) {
  const cell = make("th", "", ...children);
  cell.scope = "col";
  return cell;
}

/**
 * @param {string} name
 * @param {{ now: readonly number[], before: readonly number[], columns: readonly number[] }} numbers
 */
function row(name, { now, before, columns }) {
  const title = make("th", "", make("span", "", visible(name)));
  title.scope = "row";
  return make(
    "tr",
    "",
    title,
    cell(sum(now), sum(before)),
    ...columns.map((type) => cell(now[type] ?? 0, before[type] ?? 0)),
  );
}

/**
 * @param {number} now
 * @param {number} before
 */
function cell(now, before) {
  const difference = now - before;
  const direction = difference === 0 ? "same" : difference > 0 ? "up" : "down";
  return make(
    "td",
    now === 0 && before === 0 ? "zero" : "",
    whole(now),
    make("small", direction, change(difference)),
  );
}

/**
 * A table of events by lottery and event type, with a row of totals, and with the change from
 * another table of the same places.
 * @module
 */

import { percentMark } from "../change_mark.js";
import { ranking, sum } from "../chart/busiest.js";
import { swatch } from "../chart/palette.js";
import { make } from "../dom.js";
import { change, visible, whole } from "../format.js";

/** @typedef {import("../../api.ts").ViewJson} View */
/** @typedef {readonly (readonly number[])[]} Events by the place of the lottery, then of the type */

/**
 * @typedef {object} TableContent
 * @property {Pick<View, "event_types" | "lottery_names" | "other_lotteries" | "totals">} names the
 *   lottery with the greatest total comes first
 * @property {Events} events
 * @property {Events | null} before null if nothing is known to compare with
 * @property {"number" | "percent"} compared how the change is shown
 * @property {readonly number[]} colors by the place of the type
 * @property {readonly boolean[]} isOn by the place of the type
 * @property {readonly string[]} chosen lotteries, none for all
 */

/**
 * @param {HTMLElement} place
 * @param {TableContent} content
 */
export function showTable(place, content) {
  const { names, events, before, colors, isOn, chosen } = content;
  const others = names.event_types.length;
  const hasOthers = [...events, ...before ?? []].some((row) => (row[others] ?? 0) > 0);
  const columns = [...names.event_types.keys(), ...hasOthers ? [others] : []]
    .filter((type) => isOn[type]);
  const rows = rowsOf(content);
  if (rows.length === 0) {
    const which = chosen.map(visible).join(", ");
    place.replaceChildren(make("p", "empty", `No recent events of ${which}.`));
    return;
  }
  const titles = columns.map((type) =>
    heading(visible(names.event_types[type] ?? "others"), swatch(colors[type]))
  );
  /** @param {Events} numbers */
  const total = (numbers) => columnSums(rows.map(({ place }) => numbers[place] ?? []), others + 1);
  const isSummed = rows.length > 1;
  place.replaceChildren(make(
    "table",
    "",
    make("thead", "", make("tr", "", heading("Lottery"), heading("All"), ...titles)),
    make(
      "tbody",
      "",
      ...rows.map(({ name, place }) =>
        row(name, {
          now: events[place] ?? [],
          before: before && (before[place] ?? []),
          columns,
          compared: content.compared,
        })
      ),
    ),
    ...isSummed
      ? [make(
        "tfoot",
        "",
        row("Total", {
          now: total(events),
          before: before && total(before),
          columns,
          compared: content.compared,
        }),
      )]
      : [],
  ));
}

/**
 * All lotteries with the rest as one, or only the chosen ones.
 * @param {TableContent} content
 */
function rowsOf({ names, isOn, chosen }) {
  const ranked = ranking(names, isOn);
  if (chosen.length > 0) return ranked.filter(({ name }) => chosen.includes(name));
  const others = { place: ranked.length, name: `${whole(names.other_lotteries)} others` };
  return names.other_lotteries > 0 ? [...ranked, others] : ranked;
}

/** @param {Events} rows @param {number} length */
function columnSums(rows, length) {
  return Array.from({ length }, (_, at) => sum(rows.map((row) => row[at] ?? 0)));
}

/** @param {...(string | Node)} children */
function heading(...children) {
  const cell = make("th", "", ...children);
  cell.scope = "col";
  return cell;
}

/**
 * @param {string} name
 * @param {{ now: readonly number[], before: readonly number[] | null, columns: readonly number[], compared: TableContent["compared"] }} numbers
 */
function row(name, { now, before, columns, compared }) {
  const title = make("th", "", make("span", "", visible(name)));
  title.scope = "row";
  /** @param {readonly number[]} numbers */
  const all = (numbers) => sum(columns.map((type) => numbers[type] ?? 0));
  return make(
    "tr",
    "",
    title,
    cell(all(now), before && all(before), compared),
    ...columns.map((type) => cell(now[type] ?? 0, before && (before[type] ?? 0), compared)),
  );
}

/**
 * @param {number} now
 * @param {number | null} before null without anything to compare with
 * @param {TableContent["compared"]} compared
 */
function cell(now, before, compared) {
  const isZero = now === 0 && !before;
  const mark = before === null ? [] : [
    compared === "percent"
      ? percentMark(now, before) ?? make("small", "")
      : difference(now - before),
  ];
  return make("td", isZero ? "zero" : "", whole(now), ...mark);
}

/** @param {number} value */
function difference(value) {
  const direction = value === 0 ? "" : value > 0 ? "up" : "down";
  return make("small", direction, change(value));
}

/**
 * What stands above the chart: what its bars are, the total of the range, and what to do with it.
 * @module
 */

import { isSameRange, RANGES } from "../address.js";
import { percentMark } from "../change_mark.js";
import { comparison, sumOf } from "../chart/stack.js";
import { find, setText } from "../dom.js";
import { visible, whole } from "../format.js";
import { spanText, stepText, timeText } from "../times.js";

/** @typedef {import("../../api.ts").ViewJson} View */
/** @typedef {import("../address.js").Choice} Choice */

/** Steps that the API knows by name. */
const API_STEPS = ["1m", "5m", "15m", "1h", "6h", "1d", "7d"];
const MAX_NAMES = 2;

/**
 * @param {View} view
 * @param {{ choice: Choice, isOn: readonly boolean[], closedUpToMs: number | null, widerRange: Choice["range"] | null }} options
 */
export function showChartHead(view, { choice, isOn, closedUpToMs, widerRange }) {
  const { bars, step_seconds } = view;
  setText(find("#chart-title"), `Events per ${stepText(step_seconds)}`);
  setText(find("#chart-note"), [...lotteriesText(choice), rangeText(view)].join(", "));
  setText(
    find("#range-events"),
    whole(bars.reduce((sum, { events }) => sumOf(events, isOn) + sum, 0)),
  );
  setText(find("#range-name"), rangeName(choice));
  const compared = comparison(view, { isOn, closedUpToMs });
  const mark = compared && percentMark(compared.now, compared.before);
  const change = find("#range-change");
  change.hidden = !mark;
  if (mark) find("span", change).replaceChildren(mark);
  showKept(view);
  showZoomOut(choice, widerRange);
  find("#csv").href = csvAddress(view, choice);
}

/** @param {Choice} choice */
function lotteriesText({ lotteries }) {
  if (lotteries.length === 0) return [];
  if (lotteries.length <= MAX_NAMES) return [lotteries.map(visible).join(" + ")];
  return [`${lotteries.length} lotteries`];
}

/** @param {View} view */
function rangeText({ from, to }) {
  return spanText(Date.parse(from), Date.parse(to));
}

/** @param {Choice} choice */
function rangeName({ range }) {
  return typeof range === "object" ? "events in this range" : `events in the last ${RANGES[range]}`;
}

/** @param {View} view */
function showKept({ kept_from }) {
  const note = find("#kept");
  note.hidden = kept_from === null;
  if (kept_from === null) return;
  setText(note, `Counts before ${timeText(Date.parse(kept_from))} were deleted for their age.`);
}

/** @param {Choice} choice @param {Choice["range"] | null} widerRange */
function showZoomOut({ range }, widerRange) {
  const button = find("#zoom-out");
  button.hidden = typeof range !== "object";
  const text = widerRange === null || isSameRange(widerRange, range)
    ? "Zoom out"
    : typeof widerRange === "object"
    ? `Back to ${spanText(widerRange.fromMs, widerRange.toMs)}`
    : `Back to the last ${RANGES[widerRange]}`;
  setText(find("span", button), text);
}

/**
 * Where the counts of the chart are, as CSV.
 * @param {View} view
 * @param {Choice} choice
 */
export function csvAddress({ from, to, step, zone, event_types }, { lotteries, off, isOthersOff }) {
  const parameters = new URLSearchParams({ from, to });
  if (API_STEPS.includes(step)) parameters.set("step", step);
  if (zone !== "UTC") parameters.set("zone", zone);
  for (const name of lotteries) parameters.append("lottery", name);
  if (isOthersOff || event_types.some((type) => off.includes(type))) {
    for (const type of event_types) if (!off.includes(type)) parameters.append("event_type", type);
  }
  parameters.set("format", "csv");
  return `/api/aggregates?${parameters.toString().replaceAll("%3A", ":")}`;
}

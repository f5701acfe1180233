/**
 * Colours of the event types, each with its events in the range.
 * @module
 */

import { find, make } from "../dom.js";
import { compact, visible } from "../format.js";
import { sum } from "./busiest.js";
import { swatch } from "./palette.js";

/** @typedef {import("../../api.ts").ViewJson} View */

/**
 * @param {View} view
 * @param {readonly number[]} colors
 */
export function showLegend({ bars, event_types }, colors) {
  const names = [...event_types, "others"];
  find("#legend").replaceChildren(...names.flatMap((type, place) => {
    const events = sum(bars.map((bar) => bar.events[place] ?? 0));
    if (events === 0) return [];
    return [
      make("li", "", swatch(colors[place]), `${visible(type)} `, make("b", "", compact(events))),
    ];
  }));
}

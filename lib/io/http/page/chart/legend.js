/**
 * Which colour is which event type, with its share of all events in the range.
 * @module
 */

import { find, make } from "../dom.js";
import { compact, visible } from "../format.js";
import { OTHERS } from "./palette.js";

/** @typedef {import("../../../../core/views/window_view.ts").WindowView} WindowView */

/**
 * @param {WindowView} view
 * @param {readonly number[]} colors
 */
export function showLegend({ bars, eventTypes }, colors) {
  const names = [...eventTypes, "others"];
  find("#legend").replaceChildren(...names.flatMap((type, place) => {
    const events = bars.reduce((sum, bar) => sum + (bar.events[place] ?? 0), 0);
    if (events === 0) return [];
    const color = colors[place] ?? OTHERS;
    return [
      make(
        "li",
        "",
        make("i", `swatch type-${color}`),
        visible(type),
        " ",
        make("b", "", compact(events)),
      ),
    ];
  }));
}

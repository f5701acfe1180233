/**
 * Bars that stand on one another.
 * @module
 */

/** @typedef {import("../../../../core/views/window_view.ts").WindowView} WindowView */

/**
 * Events per minute of each type and bar. The last bar may not be full yet: it counts for the
 * windows that it has so far.
 * @param {WindowView} view
 * @returns {number[][]} by type, then by bar
 */
export function ratesByType({ bars, barMs, toMs, eventTypes }) {
  return Array.from(
    { length: eventTypes.length + 1 },
    (_, type) =>
      bars.map(({ startMs, events }) => {
        const minutes = Math.min(barMs, toMs - startMs) / 60_000;
        return (events[type] ?? 0) / minutes;
      }),
  );
}

/**
 * Where each layer ends if they stand on one another, the first one at the bottom.
 * @param {readonly (readonly number[])[]} layers
 * @returns {number[][]}
 */
export function stack(layers) {
  /** @type {number[][]} */
  const tops = [];
  for (const layer of layers) {
    const below = tops.at(-1);
    tops.push(layer.map((value, at) => value + (below?.[at] ?? 0)));
  }
  return tops;
}

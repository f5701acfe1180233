/**
 * Stacked bars.
 * @module
 */

/** @typedef {import("../../api.ts").ViewJson} View */

/**
 * Events per minute of each type and bar; the last bar is measured by the windows it has so far.
 * @param {View} view
 * @returns {number[][]} by type, then by bar
 */
export function ratesByType({ bars, step_seconds, to, event_types }) {
  return Array.from(
    { length: event_types.length + 1 },
    (_, type) =>
      bars.map(({ start, events }) => {
        const seconds = Math.min(step_seconds, (Date.parse(to) - Date.parse(start)) / 1_000);
        return (events[type] ?? 0) * 60 / seconds;
      }),
  );
}

/**
 * The top of each layer, the first one at the bottom.
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

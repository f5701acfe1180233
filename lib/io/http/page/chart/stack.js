/**
 * Stacked bars.
 * @module
 */

/** @typedef {import("../../api.ts").ViewJson} View */

/**
 * Events of each type and bar; none of the types that are switched off.
 * @param {Pick<View, "bars">} view
 * @param {readonly boolean[]} isOn by the place of the type
 * @returns {number[][]} by type, then by bar
 */
export function layersOf({ bars }, isOn) {
  return isOn.map((isShown, place) => bars.map(({ events }) => isShown ? events[place] ?? 0 : 0));
}

/**
 * The same bars a week ago; null where it is not known.
 * @param {Pick<View, "bars">} view
 * @param {readonly boolean[]} isOn
 * @returns {(number | null)[]}
 */
export function weekAgo({ bars }, isOn) {
  return bars.map(({ week_ago: events }) => events && sumOf(events, isOn));
}

/**
 * Events of the types that are switched on.
 * @param {readonly number[]} events
 * @param {readonly boolean[]} isOn
 */
export function sumOf(events, isOn) {
  return events.reduce((total, each, place) => total + (isOn[place] ? each : 0), 0);
}

/**
 * Events of the closed bars and of the same ones a week before; null if not all of these are known:
 * a bar that is still filling, or only some of them, cannot be compared.
 * @param {Pick<View, "bars">} view
 * @param {{ isOn: readonly boolean[], closedUpToMs: number | null }} options
 * @returns {{ now: number, before: number } | null}
 */
export function comparison({ bars }, { isOn, closedUpToMs }) {
  const closed = bars.filter(({ end }) => closedUpToMs !== null && Date.parse(end) <= closedUpToMs);
  let [now, before] = [0, 0];
  for (const { events, week_ago: events_before } of closed) {
    if (!events_before) return null;
    now += sumOf(events, isOn);
    before += sumOf(events_before, isOn);
  }
  return closed.length === 0 ? null : { now, before };
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

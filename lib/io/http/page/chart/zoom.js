/**
 * Spans to zoom to: whole bars, and never so short that nothing is left to see.
 * @module
 */

/** @typedef {import("../../api.ts").ViewJson} View */
/** @typedef {import("../address.js").Span} Span */
/** @typedef {Pick<View, "from" | "to" | "bars" | "is_live">} Shown */

const MIN_WINDOWS = 5;

/**
 * The bars that have a part in a span; widened to its both sides if it is too short.
 * @param {Shown} view
 * @param {Span} span
 * @param {number} windowMs
 * @returns {Span}
 */
export function wholeBars({ from, to, bars }, { fromMs, toMs }, windowMs) {
  const touched = bars.filter(({ start, end }) =>
    Date.parse(end) > fromMs && Date.parse(start) < toMs
  );
  const startMs = Date.parse(touched[0]?.start ?? from);
  const endMs = Date.parse(touched.at(-1)?.end ?? to);
  const missing = Math.max(0, MIN_WINDOWS - Math.round((endMs - startMs) / windowMs));
  const after = Math.floor(missing / 2);
  return {
    fromMs: startMs - (missing - after) * windowMs,
    toMs: endMs + after * windowMs,
  };
}

/**
 * Half as long, around a bar, or at the end.
 * @param {Shown} view
 * @param {number | null} at index of the bar
 * @param {number} windowMs
 */
export function closer(view, at, windowMs) {
  const [fromMs, toMs] = [Date.parse(view.from), Date.parse(view.to)];
  const quarterMs = (toMs - fromMs) / 4;
  const bar = at === null ? undefined : view.bars[at];
  const middleMs = bar ? (Date.parse(bar.start) + Date.parse(bar.end)) / 2 : toMs;
  const startMs = Math.max(fromMs, Math.min(middleMs - quarterMs, toMs - 2 * quarterMs));
  // Not the bars at the edges that are hardly touched.
  const span = { fromMs: startMs + 1, toMs: startMs + 2 * quarterMs - 1 };
  return wholeBars(view, span, windowMs);
}

/** The server shows no longer ones. */
const MAX_MS = 10 * 365 * 86_400_000;

/**
 * Twice as long; one that ends now grows to its past.
 * @param {Shown} view
 * @returns {Span}
 */
export function wider({ from, to, is_live }) {
  const [fromMs, toMs] = [Date.parse(from), Date.parse(to)];
  const growthMs = Math.max(0, Math.min(toMs - fromMs, MAX_MS - (toMs - fromMs)));
  return is_live
    ? { fromMs: Math.max(1, fromMs - growthMs), toMs }
    : { fromMs: Math.max(1, fromMs - growthMs / 2), toMs: toMs + growthMs / 2 };
}

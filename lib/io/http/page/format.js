/**
 * Numbers, durations and times as people read them.
 * @module
 */

const WHOLE = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const COMPACT = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 3 });
/** @type {Intl.DateTimeFormatOptions} */
const MINUTES = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
const TIME = new Intl.DateTimeFormat("en", MINUTES);
const TIME_WITH_SECONDS = new Intl.DateTimeFormat("en", { ...MINUTES, second: "2-digit" });
const DAY = new Intl.DateTimeFormat("en", { day: "numeric", month: "short", year: "numeric" });

/** @param {number} value */
export function whole(value) {
  return WHOLE.format(value);
}

/**
 * A number beside an axis: from a million on in millions.
 * @param {number} value
 */
export function onAxis(value) {
  return Math.abs(value) < 1_000_000 ? whole(value) : COMPACT.format(value);
}

/**
 * Events per second, with a decimal only if it is small.
 * @param {number} value
 */
export function rate(value) {
  return value > 0 && value < 10 ? value.toFixed(1) : whole(value);
}

/**
 * A difference with its sign; empty if there is none.
 * @param {number} value
 */
export function change(value) {
  if (value === 0) return "";
  return `${value > 0 ? "+" : "−"}${whole(Math.abs(value))}`;
}

/**
 * A change in percent with its direction; null if there was nothing to compare with, or nothing is
 * to be compared.
 * @param {number} now
 * @param {number | null | undefined} before
 * @returns {{ direction: "up" | "down" | "", text: string } | null}
 */
export function percentChange(now, before) {
  if (before == null || before === 0) return null;
  const percent = Math.abs(now / before - 1) * 100;
  const text = percent < 0.05 ? "0" : percent < 9.95 ? percent.toFixed(1) : whole(percent);
  const direction = text === "0" ? "" : now > before ? "up" : "down";
  return { direction, text: `${text}%` };
}

const UNITS = /** @type {const} */ ([[86_400_000, "d"], [3_600_000, "h"], [60_000, "min"]]);

/**
 * @param {number} ms
 */
export function duration(ms) {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 10_000) return `${(ms / 1_000).toFixed(1)} s`;
  return age(ms);
}

/**
 * Two durations, the shorter first; with one unit if they have the same.
 * @param {number} first
 * @param {number} second
 */
export function durations(first, second) {
  const [a = "", b = ""] = [duration(first), duration(second)];
  const [value, unit] = a.split(" ");
  return b.endsWith(` ${unit}`) ? `${value} · ${b}` : `${a} · ${b}`;
}

/**
 * Whole units; times slightly in the future, of another clock, count as now.
 * @param {number} ms
 */
export function age(ms) {
  for (const [unitMs, unit] of UNITS) {
    if (ms >= unitMs) return `${Math.floor(ms / unitMs)} ${unit}`;
  }
  return `${Math.max(0, Math.floor(ms / 1_000))} s`;
}

/**
 * Time of day, with seconds if windows are shorter than a minute.
 * @param {number} timeMs
 * @param {number} stepMs
 */
export function clock(timeMs, stepMs) {
  return (stepMs % 60_000 === 0 ? TIME : TIME_WITH_SECONDS).format(timeMs);
}

/**
 * The day, or nothing if it is today.
 * @param {number} timeMs
 * @param {number} [nowMs]
 */
export function otherDay(timeMs, nowMs = Date.now()) {
  const day = DAY.format(timeMs);
  return day === DAY.format(nowMs) ? "" : day;
}

/** The time zone of all times on the page. */
export function zone() {
  return TIME.resolvedOptions().timeZone;
}

/**
 * Untrusted text: invisible characters, and those that change the reading direction, are escaped.
 * @param {string} name
 */
export function visible(name) {
  return name.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, (character) => {
    return `\\u{${character.codePointAt(0)?.toString(16)}}`;
  });
}

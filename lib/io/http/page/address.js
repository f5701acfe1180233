/**
 * The chosen view, as part of the page's address: it can be shared, and the browser can go back.
 * @module
 */

import { visible, zone } from "./format.js";

/** Ranges that end at the current event time, and what each is called after "the last". */
export const RANGES = /** @type {const} */ ({
  "15m": "15 minutes",
  "1h": "hour",
  "24h": "24 hours",
  "7d": "7 days",
  "30d": "30 days",
  "1y": "year",
});

/** @typedef {keyof typeof RANGES} RangeName */

/** @typedef {{ readonly fromMs: number, readonly toMs: number }} Span */

/**
 * @typedef {object} Choice
 * @property {RangeName | Span} range
 * @property {readonly string[]} lotteries none for all
 * @property {readonly string[]} off event types that are switched off
 * @property {boolean} isOthersOff whether the types without a place of their own are switched off
 * @property {number | null} barMs start of the bar whose table is open
 * @property {boolean} hasLetters whether the dead letters are open
 */

/** @type {Choice} */
export const DEFAULT_CHOICE = {
  range: "15m",
  lotteries: [],
  off: [],
  isOthersOff: false,
  barMs: null,
  hasLetters: false,
};

export const MAX_LOTTERIES = 20;
const ONCE = ["range", "from", "to", "others", "bar", "letters"];
const REPEATED = ["lottery", "off"];
/** Longer than any name of a lottery or type can be. */
const MAX_NAME_LENGTH = 400;
const MAX_QUOTED = 60;
const ISO_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d)$/;

/**
 * The choice, and what is wrong with the address; wrong parts have no effect.
 * @param {string} search the address from the question mark on
 * @returns {{ choice: Choice, problems: string[] }}
 */
export function parseChoice(search) {
  const parameters = new URLSearchParams(search);
  const problems = [...new Set(parameters.keys())].flatMap((name) => {
    if (REPEATED.includes(name)) return [];
    if (!ONCE.includes(name)) return [`Unknown parameter ${quoted(name)} in the address.`];
    return parameters.getAll(name).length > 1
      ? [`${quoted(name)} appears more than once in the address.`]
      : [];
  });
  const range = parseRange(parameters, problems);
  const lotteries = parseNames(parameters, "lottery", (name) => {
    problems.push(`Invalid lottery name ${quoted(name)}, ignoring it.`);
  });
  if (lotteries.length > MAX_LOTTERIES) {
    problems.push(`More than ${MAX_LOTTERIES} lotteries, showing the first ${MAX_LOTTERIES}.`);
  }
  const off = parseNames(parameters, "off", (name) => {
    problems.push(`Invalid event type ${quoted(name)}, ignoring it.`);
  });
  const bar = parameters.get("bar");
  const barMs = bar === null ? null : parseTime(bar);
  if (bar !== null && barMs === null) problems.push(`Invalid time ${quoted(bar)} of a bar.`);
  /** @param {string} name @param {string} value */
  const has = (name, value) => {
    const given = parameters.get(name);
    if (given !== null && given !== value) {
      problems.push(`Unknown value ${quoted(given)} of ${quoted(name)}. Supported: ${value}.`);
    }
    return given === value;
  };
  return {
    choice: {
      range,
      lotteries: lotteries.slice(0, MAX_LOTTERIES),
      off,
      isOthersOff: has("others", "off"),
      barMs,
      hasLetters: has("letters", "open"),
    },
    problems,
  };
}

/** @param {URLSearchParams} parameters @param {string[]} problems @returns {RangeName | Span} */
function parseRange(parameters, problems) {
  const [name, from, to] = ["range", "from", "to"].map((each) => parameters.get(each));
  const fallback = `showing the last ${RANGES["15m"]}`;
  if (from != null || to != null) {
    const [fromMs, toMs] = [from, to].map((text) => parseTime(text ?? ""));
    const isSpan = fromMs != null && toMs != null && fromMs < toMs;
    if (isSpan && name != null) problems.push("“range” has no effect beside “from” and “to”.");
    if (isSpan) return { fromMs, toMs };
    problems.push(
      from == null || to == null
        ? `“from” and “to” belong together, ${fallback}.`
        : fromMs == null || toMs == null
        ? `${
          quoted(fromMs == null ? from : to)
        } is not a time like 2026-01-31T12:00:00Z, ${fallback}.`
        : `“from” is not before “to”, ${fallback}.`,
    );
    return "15m";
  }
  const text = name ?? "15m";
  if (Object.hasOwn(RANGES, text)) return /** @type {RangeName} */ (text);
  const supported = Object.keys(RANGES).join(", ");
  problems.push(`Unknown range ${quoted(text)}, ${fallback}. Supported: ${supported}.`);
  return "15m";
}

/**
 * @param {URLSearchParams} parameters
 * @param {string} parameter
 * @param {(name: string) => void} onInvalid
 */
function parseNames(parameters, parameter, onInvalid) {
  const names = [...new Set(parameters.getAll(parameter))].filter((name) => name !== "");
  return names.filter((name) => {
    const isValid = name.length <= MAX_NAME_LENGTH && !name.includes("\0");
    if (!isValid) onInvalid(name);
    return isValid;
  });
}

/** @param {string} text @returns {number | null} */
function parseTime(text) {
  const timeMs = ISO_TIME.test(text) ? Date.parse(text) : NaN;
  return Number.isFinite(timeMs) && timeMs > 0 ? timeMs : null;
}

/**
 * The same without defaults, from the question mark on.
 * @param {Choice} choice
 */
export function formatChoice({ range, lotteries, off, isOthersOff, barMs, hasLetters }) {
  const parameters = liveParameters({ range, lotteries });
  for (const type of off) parameters.append("off", type);
  if (isOthersOff) parameters.set("others", "off");
  if (barMs !== null) parameters.set("bar", shortIso(barMs));
  if (hasLetters) parameters.set("letters", "open");
  return asSearch(parameters);
}

/**
 * Where the server sends what is chosen.
 * @param {Choice} choice
 */
export function liveAddress(choice) {
  const parameters = liveParameters(choice);
  if (zone() !== "UTC") parameters.set("zone", zone());
  return `/live${asSearch(parameters)}`;
}

/** @param {Pick<Choice, "range" | "lotteries">} choice */
function liveParameters({ range, lotteries }) {
  const parameters = new URLSearchParams();
  for (const name of lotteries) parameters.append("lottery", name);
  if (typeof range === "object") {
    parameters.set("from", shortIso(range.fromMs));
    parameters.set("to", shortIso(range.toMs));
  } else if (range !== "15m") parameters.set("range", range);
  return parameters;
}

/** Colons may stand in an address as they are. @param {URLSearchParams} parameters */
function asSearch(parameters) {
  const text = parameters.toString().replaceAll("%3A", ":");
  return text && `?${text}`;
}

/** @param {number} timeMs */
function shortIso(timeMs) {
  return new Date(timeMs).toISOString().replace(".000Z", "Z");
}

/** @param {RangeName | Span} a @param {RangeName | Span} b */
export function isSameRange(a, b) {
  return JSON.stringify(a) === JSON.stringify(b);
}

/**
 * Untrusted text, cut short.
 * @param {string} text
 */
export function quoted(text) {
  return `“${visible(text.length > MAX_QUOTED ? `${text.slice(0, MAX_QUOTED)}…` : text)}”`;
}

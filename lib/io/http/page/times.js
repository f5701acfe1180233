/**
 * Spans of time and lengths of bars, as people read them, in the browser's time zone.
 * @module
 */

const MINUTE_MS = 60_000;
/** @type {Intl.DateTimeFormatOptions} */
const CLOCK = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
const MINUTES = new Intl.DateTimeFormat("en", CLOCK);
const SECONDS = new Intl.DateTimeFormat("en", { ...CLOCK, second: "2-digit" });
/** @type {Intl.DateTimeFormatOptions} */
const DATE = { month: "short", day: "numeric" };
const DAY = new Intl.DateTimeFormat("en", DATE);
const DAY_OF_YEAR = new Intl.DateTimeFormat("en", { ...DATE, year: "numeric" });
const WEEKDAY = new Intl.DateTimeFormat("en", { ...DATE, weekday: "short" });
const WEEKDAY_OF_YEAR = new Intl.DateTimeFormat("en", {
  ...DATE,
  weekday: "short",
  year: "numeric",
});

/** @param {number} timeMs */
export function isMidnight(timeMs) {
  const date = new Date(timeMs);
  return timeMs % MINUTE_MS === 0 && date.getHours() === 0 && date.getMinutes() === 0;
}

/** @param {number} timeMs */
function clockText(timeMs) {
  return (timeMs % MINUTE_MS === 0 ? MINUTES : SECONDS).format(timeMs);
}

/**
 * From and to; whole days without times, the year only if it is another one, the day only once.
 * @param {number} fromMs
 * @param {number} toMs
 * @param {{ hasWeekday?: boolean, nowMs?: number }} [options]
 */
export function spanText(fromMs, toMs, { hasWeekday = false, nowMs = Date.now() } = {}) {
  const year = new Date(nowMs).getFullYear();
  const isOtherYear = [fromMs, toMs - 1].some((each) => new Date(each).getFullYear() !== year);
  const [long, short] = hasWeekday ? [WEEKDAY_OF_YEAR, WEEKDAY] : [DAY_OF_YEAR, DAY];
  /** @param {number} timeMs */
  const day = (timeMs) => (isOtherYear ? long : short).format(timeMs);
  const [first, last] = [day(fromMs), day(toMs - 1)];
  if (isMidnight(fromMs) && isMidnight(toMs)) return first === last ? first : `${first} – ${last}`;
  const [from, to] = [clockText(fromMs), clockText(toMs)];
  return first === last ? `${first}, ${from} – ${to}` : `${first}, ${from} – ${day(toMs)}, ${to}`;
}

/**
 * The day alone at midnight.
 * @param {number} timeMs
 */
export function timeText(timeMs) {
  const isThisYear = new Date(timeMs).getFullYear() === new Date().getFullYear();
  const day = (isThisYear ? DAY : DAY_OF_YEAR).format(timeMs);
  return isMidnight(timeMs) ? day : `${day}, ${clockText(timeMs)}`;
}

/** @type {readonly (readonly [seconds: number, unit: string])[]} */
const UNITS = [[7 * 86_400, "week"], [86_400, "day"], [3_600, "hour"], [60, "minute"]];

/**
 * What follows "events per".
 * @param {number} seconds
 */
export function stepText(seconds) {
  const [unitSeconds, unit] = UNITS.find(([each]) => seconds % each === 0) ?? [1, "second"];
  const count = seconds / unitSeconds;
  return count === 1 ? unit : `${count} ${unit}s`;
}

/**
 * The value of an input of a local time.
 * @param {number} timeMs
 */
export function toLocalInput(timeMs) {
  const date = new Date(timeMs);
  const offsetMs = date.getTimezoneOffset() * MINUTE_MS;
  return new Date(timeMs - offsetMs).toISOString().slice(0, 16);
}

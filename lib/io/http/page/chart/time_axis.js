/**
 * Where the labels of the time axis stand, and what they say: round times of the browser's time
 * zone, dates where days matter, names of days in a week.
 * @module
 */

const DAY_SECONDS = 86_400;
/** @type {Intl.DateTimeFormatOptions} */
const CLOCK = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
const MINUTES = new Intl.DateTimeFormat("en", CLOCK);
const SECONDS = new Intl.DateTimeFormat("en", { ...CLOCK, second: "2-digit" });
const DATE = new Intl.DateTimeFormat("en", { month: "short", day: "numeric" });
const WEEKDAY = new Intl.DateTimeFormat("en", { weekday: "short" });
const MONTH = new Intl.DateTimeFormat("en", { month: "short" });
/** Up to here the names of days are of use. */
const WEEK_LIKE_SECONDS = 15 * DAY_SECONDS;

/** @typedef {{ readonly seconds: number, readonly text: string, readonly isDay: boolean }} Label */

/** Distances in seconds, days and months. */
const WITHIN_DAY = [
  ...[10, 30],
  ...[1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 480, 720].map((minutes) => minutes * 60),
];
const DAYS = [1, 2, 3, 7, 14];
const MONTHS = [1, 2, 3, 6, 12, 24, 60];

/**
 * As many as there is room for.
 * @param {number} from in seconds
 * @param {number} to
 * @param {number} most labels
 * @returns {Label[]}
 */
export function timeLabels(from, to, most) {
  const length = to - from;
  const step = WITHIN_DAY.find((each) => length / each <= most);
  if (step !== undefined) return withinDays(from, to, step);
  const days = DAYS.find((each) => length / DAY_SECONDS / each <= most);
  if (days !== undefined) return byDays(from, to, days);
  const months = MONTHS.find((each) => length / DAY_SECONDS / 30.4 / each <= most) ?? 120;
  return byMonths(from, to, months);
}

/** @param {number} from @param {number} to @param {number} step */
function withinDays(from, to, step) {
  const format = step % 60 === 0 ? MINUTES : SECONDS;
  return midnights(from, to).flatMap((day) => {
    /** @type {Label[]} */
    const labels = [];
    for (let within = 0; within < DAY_SECONDS; within += step) {
      const time = new Date(day.getFullYear(), day.getMonth(), day.getDate(), 0, 0, within);
      const seconds = time.getTime() / 1000;
      if (seconds < from || seconds > to || seconds === labels.at(-1)?.seconds) continue;
      const text = within === 0 ? DATE.format(time) : format.format(time);
      labels.push({ seconds, text, isDay: within === 0 });
    }
    return labels;
  });
}

/** @param {number} from @param {number} to @param {number} step */
function byDays(from, to, step) {
  const isWeekLike = to - from <= WEEK_LIKE_SECONDS;
  return midnights(from, to).flatMap((day) => {
    const seconds = day.getTime() / 1000;
    // Counted from a Monday.
    const number = Math.round(
      (Date.UTC(day.getFullYear(), day.getMonth(), day.getDate()) / 1000 - 4 * DAY_SECONDS) /
        DAY_SECONDS,
    );
    if (seconds < from || seconds > to || number % step !== 0) return [];
    const text = isWeekLike ? `${WEEKDAY.format(day)} ${day.getDate()}` : DATE.format(day);
    return [{ seconds, text, isDay: true }];
  });
}

/** @param {number} from @param {number} to @param {number} step */
function byMonths(from, to, step) {
  /** @type {Label[]} */
  const labels = [];
  const first = new Date(from * 1000);
  for (let at = 0;; at++) {
    const month = new Date(first.getFullYear(), first.getMonth() + at, 1);
    const seconds = month.getTime() / 1000;
    if (seconds > to) return labels;
    const number = month.getFullYear() * 12 + month.getMonth();
    if (seconds < from || number % step !== 0) continue;
    const text = month.getMonth() === 0 ? String(month.getFullYear()) : MONTH.format(month);
    labels.push({ seconds, text, isDay: true });
  }
}

/** Of all days that have a part in it. @param {number} from @param {number} to */
function midnights(from, to) {
  const days = [];
  const first = new Date(from * 1000);
  for (let at = 0;; at++) {
    const day = new Date(first.getFullYear(), first.getMonth(), first.getDate() + at);
    if (day.getTime() / 1000 > to) return days;
    days.push(day);
  }
}

/**
 * When events come: quiet nights and busy evenings, the busiest before a draw, and crowds when a
 * lottery announces a jackpot.
 *
 * The number of events up to a time is a formula, and the time of event n is its inverse:
 * neither needs to know what came before. It uses nothing but sums, products and quotients,
 * which are the same on every machine.
 * @module
 */

import { hash } from "./hash.ts";

export interface StoryOptions {
  readonly seed: number;
  /** Events per second over a whole week, besides those of jackpots. */
  readonly rate: number;
  readonly lotteries: number;
  /** When the first event may come, in milliseconds since the epoch. */
  readonly startMs: number;
  /** Fewer events at first, see `Growth`; as many from the start if not given. */
  readonly growth?: Growth;
}

/** Which share of the rate there is at first, and when there is all of it. */
export interface Growth {
  readonly from: number;
  readonly endMs: number;
}

/** A lottery's announcement, and how long it brings a crowd. */
export interface Jackpot {
  /** Index of the lottery, from the most popular on. */
  readonly lottery: number;
  readonly millions: number;
  readonly startMs: number;
  readonly endMs: number;
}

const HOUR_MS = 3_600_000;
const DAY_HOURS = 24;
const WEEK_HOURS = 7 * DAY_HOURS;

/** How busy each hour of a day begins, in UTC and in percent of the average; in between it changes evenly. */
// deno-fmt-ignore
const HOURS = [
  70, 50, 38, 30, 30, 38, 55, 75, 90, 98, 104, 114,
  128, 118, 104, 100, 106, 120, 148, 170, 186, 176, 144, 108,
];
const EVENING_HOUR = 17;

/** How busy days and their evenings are. The epoch was a Thursday. Draws are on Wednesday, Friday and Saturday. */
const DAYS = [
  { day: 0.94, evening: 0.9 },
  { day: 0.98, evening: 1.12 },
  { day: 1.1, evening: 1.4 },
  { day: 1.12, evening: 1.04 },
  { day: 0.92, evening: 0.84 },
  { day: 0.94, evening: 0.9 },
  { day: 0.98, evening: 1.16 },
];

/** How busy each hour of a week begins, from the epoch's on; 1 is the average. */
const WEEK = toAverageOfOne(
  DAYS.flatMap(({ day, evening }) =>
    HOURS.map((percent, hour) => percent * (hour < EVENING_HOUR ? day : evening))
  ),
);

/** Events before each hour of a week, in those of an average hour; the last is a whole week's. */
const BEFORE_HOUR = runningSums(WEEK.map((rate, hour) => (rate + hourly(hour + 1)) / 2));

/** Jackpots come evenly: one in each part of a day. */
const PART_HOURS = 2;
/** Hours that a crowd takes to go home, evenly. */
const CROWD_HOURS = 0.75;
/** How many the whole crowd is, as a multiple of who is there when its part of the day begins. */
const CROWD_SIZE = 1.5;

const WEEK_PARTS = WEEK_HOURS / PART_HOURS;
/** The whole crowd of each part of a week, as a multiple of the average rate. */
const CROWDS = Array.from(
  { length: WEEK_PARTS },
  (_, part) => CROWD_SIZE * WEEK[part * PART_HOURS]!,
);
/** Events of crowds before each part of a week, in those of an average hour. */
const BEFORE_PART = runningSums(CROWDS.map((crowd) => crowd * CROWD_HOURS / 2));

/** How long before its end the rate begins to grow. */
const GROWTH_MS = 12 * HOUR_MS;

const LEAST_RATE = Math.min(...WEEK);
const GREATEST_RATE = Math.max(...WEEK) + Math.max(...CROWDS);

/** An event and its time. */
interface Found {
  readonly n: number;
  readonly timeMs: number;
}

export class Story {
  readonly #options: StoryOptions;
  readonly #eventsPerHour: number;
  /** Before the first event. */
  readonly #first: Found;
  /** What `timeOf` has found last. */
  #found: Found;
  /** Average hours' events before the first one of ours. */
  readonly #before: number;
  /** The same from there on until the rate begins to grow, and until it has grown. */
  readonly #growth: { readonly from: number; readonly start: number; readonly end: number };

  constructor(options: StoryOptions) {
    this.#options = options;
    this.#eventsPerHour = options.rate * HOUR_MS / 1000;
    this.#found = this.#first = { n: -1, timeMs: options.startMs };
    this.#before = this.#hoursWorth(options.startMs);
    const { from, endMs } = options.growth ?? { from: 1, endMs: options.startMs };
    this.#growth = {
      from,
      start: Math.max(0, this.#hoursWorth(endMs - GROWTH_MS) - this.#before),
      end: Math.max(0, this.#hoursWorth(endMs) - this.#before),
    };
  }

  /** Number of events up to that time. */
  lengthAt(timeMs: number): number {
    const hours = this.#grown(this.#hoursWorth(timeMs) - this.#before);
    return Math.max(0, Math.floor(hours * this.#eventsPerHour));
  }

  /** The first millisecond with more than `n` events up to it. */
  timeOf(n: number): number {
    // Events are mostly asked for one after the other: only what came since the last one is searched.
    const from = n >= this.#found.n ? this.#found : this.#first;
    const averageMs = (n - from.n) * HOUR_MS / this.#eventsPerHour;
    let low = from.timeMs + Math.floor(averageMs / GREATEST_RATE) - 1;
    let high = from.timeMs + Math.ceil(averageMs / (LEAST_RATE * this.#growth.from)) + 1;
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      if (this.lengthAt(middle) > n) high = middle;
      else low = middle + 1;
    }
    this.#found = { n, timeMs: low };
    return low;
  }

  /** The jackpot that attracts a crowd at that time, or null. */
  jackpotAt(timeMs: number): Jackpot | null {
    const { seed, lotteries } = this.#options;
    const hours = timeMs / HOUR_MS;
    const part = Math.floor(hours / PART_HOURS);
    const startHours = this.#announcedAt(part);
    if (hours < startHours || hours >= startHours + CROWD_HOURS) return null;
    return {
      lottery: Math.floor(hash(seed, part, 11) * lotteries),
      millions: 5 + Math.floor(hash(seed, part, 12) * 95),
      startMs: startHours * HOUR_MS,
      endMs: (startHours + CROWD_HOURS) * HOUR_MS,
    };
  }

  /** Share of the events at that time that come from a jackpot's crowd. */
  crowdShareAt(timeMs: number): number {
    const jackpot = this.jackpotAt(timeMs);
    if (!jackpot) return 0;
    const { startMs, endMs } = jackpot;
    const hours = timeMs / HOUR_MS;
    const hour = Math.floor(hours);
    const part = modulo(Math.floor(hours / PART_HOURS), WEEK_PARTS);
    const crowd = CROWDS[part]! * (endMs - timeMs) / (endMs - startMs);
    const others = hourly(hour) + (hourly(hour + 1) - hourly(hour)) * (hours - hour);
    return crowd / (crowd + others);
  }

  /** When the jackpot of a part of a day is announced, in hours since the epoch. */
  #announcedAt(part: number): number {
    return part * PART_HOURS + hash(this.#options.seed, part, 10) * (PART_HOURS - CROWD_HOURS);
  }

  /** What is left of the events since the start: a share at first, and of each hour more while it grows. */
  #grown(hours: number): number {
    const { from, start, end } = this.#growth;
    const grown = Math.min(hours, end) - start;
    const added = grown > 0 ? grown * grown / (end - start) / 2 : 0;
    return from * hours + (1 - from) * (added + Math.max(0, hours - end));
  }

  /** Events since the epoch, in those of an average hour: the integral of the rate. */
  #hoursWorth(timeMs: number): number {
    const hours = timeMs / HOUR_MS;
    const hour = Math.floor(hours);
    const week = Math.floor(hour / WEEK_HOURS);
    const rest = hours - hour;
    const part = Math.floor(hours / PART_HOURS);
    const partOfWeek = modulo(part, WEEK_PARTS);
    const crowdHours = Math.min(CROWD_HOURS, Math.max(0, hours - this.#announcedAt(part)));
    return week * (BEFORE_HOUR.at(-1)! + BEFORE_PART.at(-1)!) +
      BEFORE_HOUR[modulo(hour, WEEK_HOURS)]! +
      rest * hourly(hour) + rest * rest / 2 * (hourly(hour + 1) - hourly(hour)) +
      BEFORE_PART[partOfWeek]! +
      CROWDS[partOfWeek]! * crowdHours * (1 - crowdHours / CROWD_HOURS / 2);
  }
}

function hourly(hour: number): number {
  return WEEK[modulo(hour, WEEK_HOURS)]!;
}

function toAverageOfOne(values: readonly number[]): number[] {
  const average = values.reduce((sum, value) => sum + value, 0) / values.length;
  return values.map((value) => value / average);
}

/** The sums of what is before each value, and the sum of all. */
function runningSums(values: readonly number[]): number[] {
  const sums = [0];
  for (const [at, value] of values.entries()) sums.push(sums[at]! + value);
  return sums;
}

/** The remainder that is never negative. */
function modulo(value: number, divisor: number): number {
  return value - Math.floor(value / divisor) * divisor;
}

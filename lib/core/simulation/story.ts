/**
 * When events come: quiet nights, busy evenings, and crowds when a lottery announces a jackpot.
 *
 * The number of events up to a time is a formula, and the time of event n is its inverse:
 * neither needs to know what came before. It uses nothing but sums and products,
 * which are the same on every machine.
 * @module
 */

import { hash } from "./hash.ts";

export interface StoryOptions {
  readonly seed: number;
  /** Events per second over a whole day, besides those of jackpots. */
  readonly rate: number;
  readonly lotteries: number;
  /** When the first event may come, in milliseconds since the epoch. */
  readonly startMs: number;
  /** Length of a day; less than 24 hours squeezes its rhythm. Days are aligned to the epoch. */
  readonly dayMs: number;
}

/** A lottery's announcement, and how long it brings a crowd. */
export interface Jackpot {
  /** Index of the lottery, from the most popular on. */
  readonly lottery: number;
  readonly millions: number;
  readonly startMs: number;
  readonly endMs: number;
}

/** How busy each hour of a day begins, in percent of the average; in between it changes evenly. */
// deno-fmt-ignore
const HOURS = [
  70, 50, 38, 30, 30, 38, 55, 75, 90, 98, 104, 114,
  128, 118, 104, 100, 106, 120, 148, 170, 186, 176, 144, 108,
].map((percent) => percent / 100);

/** Events before each hour of a day, in average hours; the last is a whole day's. */
const BEFORE_HOUR = HOURS.reduce(
  (sums, rate, hour) => [...sums, sums[hour]! + (rate + hourly(hour + 1)) / 2],
  [0],
);

/** Jackpots per day, one in each part of it. */
const JACKPOTS_PER_DAY = 6;
/** Hours that a crowd takes to go home, evenly. */
const CROWD_HOURS = 1.5;
/** What the whole crowd adds, as a multiple of the average rate. */
const CROWD_SIZE = 2;

const PART_HOURS = 24 / JACKPOTS_PER_DAY;
const CROWD_EVENTS = CROWD_SIZE * CROWD_HOURS / 2;
const LEAST_RATE = Math.min(...HOURS);
const GREATEST_RATE = Math.max(...HOURS) + CROWD_SIZE;

export class Story {
  readonly #options: StoryOptions;
  readonly #hourMs: number;
  readonly #eventsPerHour: number;
  /** Average hours' events before the first one of ours. */
  readonly #before: number;

  constructor(options: StoryOptions) {
    this.#options = options;
    this.#hourMs = options.dayMs / 24;
    this.#eventsPerHour = options.rate * this.#hourMs / 1000;
    this.#before = this.#hoursWorth(options.startMs);
  }

  /** Number of events up to that time. */
  lengthAt(timeMs: number): number {
    const hours = this.#hoursWorth(timeMs) - this.#before;
    return Math.max(0, Math.floor(hours * this.#eventsPerHour));
  }

  /** The first millisecond with more than `n` events up to it. */
  timeOf(n: number): number {
    const { startMs } = this.#options;
    const averageMs = this.#hourMs / this.#eventsPerHour;
    let low = startMs + Math.floor(n * averageMs / GREATEST_RATE);
    let high = startMs + Math.ceil((n + 1) * averageMs / LEAST_RATE) + 1;
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      if (this.lengthAt(middle) > n) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  /** The jackpot that attracts a crowd at that time, or null. */
  jackpotAt(timeMs: number): Jackpot | null {
    const { seed, lotteries } = this.#options;
    const hours = timeMs / this.#hourMs;
    const part = Math.floor(hours / PART_HOURS);
    const startHours = this.#announcedAt(part);
    if (hours < startHours || hours >= startHours + CROWD_HOURS) return null;
    return {
      lottery: Math.floor(hash(seed, part, 11) * lotteries),
      millions: 5 + Math.floor(hash(seed, part, 12) * 95),
      startMs: startHours * this.#hourMs,
      endMs: (startHours + CROWD_HOURS) * this.#hourMs,
    };
  }

  /** Share of the events at that time that come from a jackpot's crowd. */
  crowdShareAt(timeMs: number): number {
    const jackpot = this.jackpotAt(timeMs);
    if (!jackpot) return 0;
    const { startMs, endMs } = jackpot;
    const crowd = CROWD_SIZE * (endMs - timeMs) / (endMs - startMs);
    const hours = timeMs / this.#hourMs;
    const hour = Math.floor(hours);
    const others = hourly(hour) + (hourly(hour + 1) - hourly(hour)) * (hours - hour);
    return crowd / (crowd + others);
  }

  /** When the jackpot of a part of a day is announced, in hours since the epoch. */
  #announcedAt(part: number): number {
    return part * PART_HOURS + hash(this.#options.seed, part, 10) * (PART_HOURS - CROWD_HOURS);
  }

  /** Events since the epoch, in those of an average hour: the integral of the rate. */
  #hoursWorth(timeMs: number): number {
    const hours = timeMs / this.#hourMs;
    const hour = Math.floor(hours);
    const [day, hourOfDay, rest] = [Math.floor(hour / 24), modulo(hour, 24), hours - hour];
    const part = Math.floor(hours / PART_HOURS);
    const crowdHours = Math.min(CROWD_HOURS, Math.max(0, hours - this.#announcedAt(part)));
    return day * BEFORE_HOUR[24]! + BEFORE_HOUR[hourOfDay]! +
      rest * hourly(hour) + rest * rest / 2 * (hourly(hour + 1) - hourly(hour)) +
      part * CROWD_EVENTS + CROWD_SIZE * crowdHours * (1 - crowdHours / CROWD_HOURS / 2);
  }
}

function hourly(hour: number): number {
  return HOURS[modulo(hour, 24)]!;
}

/** The remainder that is never negative. */
function modulo(value: number, divisor: number): number {
  return value - Math.floor(value / divisor) * divisor;
}

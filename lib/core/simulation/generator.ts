/**
 * A realistic stream of lottery events: popular and rare lotteries, a funnel from
 * clicked to pay, late events and bad ones.
 *
 * Event n depends only on the options, n, its time and the crowd, so a stream can be
 * generated again, from any point, to see what should have been counted.
 * @module
 */

import { hash } from "./hash.ts";

export interface GeneratorOptions {
  readonly seed: number;
  /** Number of lotteries, the most popular first. */
  readonly lotteries: number;
  /** Share of records that are not events, from 0 to 1. */
  readonly badShare: number;
  /** Share of events that come minutes after their event time, from 0 to 1. */
  readonly lateShare: number;
  /** The lottery that stops to be paid for, if one does. */
  readonly stop?: Stop;
}

/** From this time on nobody succeeds in paying for a lottery: what would be a payment is a click. */
export interface Stop {
  readonly lotteryName: string;
  readonly fromMs: number;
}

export interface GeneratedRecord {
  /** The lottery's name: Kafka keeps the events of one lottery in one partition. */
  readonly key: string;
  /** The value, as text or, where it is not even that, as bytes. */
  readonly value: string | Uint8Array | null;
}

const FIRST_NAMES = ("mega euro lucky golden daily super royal diamond happy silver " +
  "grand magic turbo vega nordic solar urban pearl crystal thunder").split(" ");
const LAST_NAMES = "draw millions six spin keno jackpot pick scratch".split(" ");

/** What users do, with the share of it; the rest are clicks. */
const EVENT_TYPES: readonly (readonly [name: string, share: number, isSale?: "sale"])[] = [
  ["viewed", 0.17],
  ["login", 0.09],
  ["register", 0.05, "sale"],
  ["add_to_cart", 0.04, "sale"],
  ["pay", 0.03, "sale"],
];

/** How well lotteries sell, as a factor: each its own way, and better to a crowd. */
const LEAST_SALES = 0.6;
const GREATEST_SALES = 1.4;
const CROWD_SALES = 2;

/** How far behind late events are: up to this long. */
const LATEST_MS = 10 * 60_000;

/** How far in the future a bad event is: more than any past that is sent. */
const FUTURE_MS = 366 * 24 * 60 * 60_000;

/** Who comes for one lottery only. */
export interface Crowd {
  /** Index of the lottery, from the most popular on. */
  readonly lottery: number;
  /** Share of all records, from 0 to 1. */
  readonly share: number;
}

const BAD_VALUES: readonly ((timestampMs: number) => GeneratedRecord["value"])[] = [
  () => null,
  () => "",
  () => "not json",
  () => new Uint8Array([0x7b, 0xff, 0xfe, 0x7d]),
  () => "[1, 2, 3]",
  (timestamp) => JSON.stringify({ event_type: "clicked", timestamp }),
  (timestamp) => JSON.stringify({ lottery_name: "", event_type: "clicked", timestamp }),
  (timestamp) => JSON.stringify({ lottery_name: "mega_draw", event_type: 7, timestamp }),
  (timestamp) =>
    JSON.stringify({ lottery_name: "mega_draw", event_type: "x".repeat(101), timestamp }),
  () => JSON.stringify({ lottery_name: "mega_draw", event_type: "clicked", timestamp: "today" }),
  (timestamp) =>
    JSON.stringify({
      lottery_name: "mega_draw",
      event_type: "clicked",
      timestamp: Math.floor(timestamp / 1000),
    }),
  () => JSON.stringify({ lottery_name: "mega_draw", event_type: "clicked", timestamp: -1 }),
  (timestamp) =>
    JSON.stringify({
      lottery_name: "mega_draw",
      event_type: "clicked",
      timestamp: timestamp + FUTURE_MS,
    }),
];

export class Generator {
  readonly #options: GeneratorOptions;
  /** From the most popular on. */
  readonly lotteryNames: readonly string[];
  /** Running sums of the lotteries' popularity, up to 1. */
  readonly #popularity: readonly number[];

  readonly #sales: readonly number[];

  constructor(options: GeneratorOptions) {
    this.#options = options;
    const lotteries = Array.from({ length: options.lotteries }, (_, at) => at);
    this.lotteryNames = lotteries.map(lotteryName);
    this.#sales = lotteries.map((at) =>
      LEAST_SALES + hash(options.seed, at, 7) * (GREATEST_SALES - LEAST_SALES)
    );
    this.#popularity = zipf(options.lotteries);
  }

  record(n: number, nowMs: number, crowd: Crowd | null = null): GeneratedRecord {
    const { badShare, lateShare, seed } = this.#options;
    const random = (purpose: number) => hash(seed, n, purpose);
    const isOfCrowd = crowd !== null && random(6) < crowd.share;
    const lottery = isOfCrowd ? crowd.lottery : firstAbove(this.#popularity, random(0));
    const key = this.lotteryNames[lottery]!;
    if (random(1) < badShare) {
      return { key, value: BAD_VALUES[Math.floor(random(2) * BAD_VALUES.length)]!(nowMs) };
    }
    const timestamp = Math.floor(
      random(3) < lateShare ? nowMs - random(4) * LATEST_MS : nowMs - random(4) * 1_000,
    );
    const sales = this.#sales[lottery]! * (isOfCrowd ? CROWD_SALES : 1);
    const type = eventType(random(5), sales);
    const event_type = type === "pay" && this.#hasStopped(key, timestamp) ? "clicked" : type;
    return { key, value: JSON.stringify({ lottery_name: key, event_type, timestamp }) };
  }

  #hasStopped(lotteryName: string, timestampMs: number): boolean {
    const { stop } = this.#options;
    return stop !== undefined && lotteryName === stop.lotteryName && timestampMs >= stop.fromMs;
  }
}

function lotteryName(at: number): string {
  const first = FIRST_NAMES[at % FIRST_NAMES.length]!;
  const last = LAST_NAMES[(at * 3 + Math.floor(at / FIRST_NAMES.length)) % LAST_NAMES.length]!;
  const round = Math.floor(at / (FIRST_NAMES.length * LAST_NAMES.length));
  return round === 0 ? `${first}_${last}` : `${first}_${last}_${round + 1}`;
}

/** Running sums of shares that fall with the rank: 1, 1/2, 1/3 … */
function zipf(count: number): number[] {
  const weights = Array.from({ length: count }, (_, at) => 1 / (at + 1));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  let sum = 0;
  return weights.map((weight, at) => at === count - 1 ? 1 : sum += weight / total);
}

/** Index of the first of the rising `sums` that is above `value`. */
function firstAbove(sums: readonly number[], value: number): number {
  let low = 0;
  let high = sums.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sums[middle]! > value) high = middle;
    else low = middle + 1;
  }
  return low;
}

function eventType(random: number, sales: number): string {
  let sum = 0;
  for (const [name, share, isSale] of EVENT_TYPES) {
    sum += isSale ? share * sales : share;
    if (random < sum) return name;
  }
  return "clicked";
}

/**
 * The log of `demo`: what its users have done so far, generated whenever it is read.
 *
 * Record n depends only on the options and n, and the log's length only on the options and
 * the time. So the log can be read again from anywhere, after any crash, and is the same.
 * @module
 */

import { type GeneratedRecord, Generator, type GeneratorOptions } from "./generator.ts";
import { Story } from "./story.ts";

export interface GeneratedLogOptions extends GeneratorOptions {
  /** Events per second of event time on average, besides those of jackpots. */
  readonly rate: number;
  /** When the log was begun, in milliseconds since the epoch; its first events are a day of the story older. */
  readonly begunMs: number;
  /**
   * How fast event time passes until it has reached now; from then on it passes as usual.
   * With 1, all events older than the log exist at once.
   */
  readonly speed: number;
}

/** One record, made when its event came. */
export interface LoggedRecord extends GeneratedRecord {
  readonly timestampMs: number;
}

export interface Announcement {
  readonly lotteryName: string;
  readonly millions: number;
}

const MINUTE_MS = 60_000;
/** How long a day of the story takes to watch, at any speed up to that of a real day. */
const DAY_TO_WATCH_MS = 24 * MINUTE_MS;
const REAL_DAY_SPEED = 60;

export class GeneratedLog {
  readonly #options: GeneratedLogOptions;
  readonly #generator: Generator;
  readonly #story: Story;
  readonly startMs: number;

  constructor(options: GeneratedLogOptions) {
    const dayMs = DAY_TO_WATCH_MS * Math.min(options.speed, REAL_DAY_SPEED);
    this.#options = options;
    this.startMs = Math.floor(options.begunMs - dayMs);
    this.#generator = new Generator(options);
    this.#story = new Story({ ...options, startMs: this.startMs, dayMs });
  }

  record(n: number): LoggedRecord {
    const timestampMs = this.#story.timeOf(n);
    const jackpot = this.#story.jackpotAt(timestampMs);
    const crowd = jackpot &&
      { lottery: jackpot.lottery, share: this.#story.crowdShareAt(timestampMs) };
    return { timestampMs, ...this.#generator.record(n, timestampMs, crowd) };
  }

  /** How fast event time passes until it has reached now. */
  get speed(): number {
    return this.#options.speed;
  }

  /** When the log was begun, in milliseconds since the epoch. */
  get begunMs(): number {
    return this.#options.begunMs;
  }

  /** Number of records at `nowMs`. */
  lengthAt(nowMs: number): number {
    return this.#story.lengthAt(this.eventTimeAt(nowMs));
  }

  /** Event time at `nowMs`, in whole milliseconds, never later than that. */
  eventTimeAt(nowMs: number): number {
    const { begunMs, speed } = this.#options;
    if (speed === 1) return nowMs;
    return Math.min(nowMs, this.startMs + Math.floor((nowMs - begunMs) * speed));
  }

  /** The jackpot that brings a crowd at `nowMs`, or null. */
  jackpotAt(nowMs: number): Announcement | null {
    const jackpot = this.#story.jackpotAt(this.eventTimeAt(nowMs));
    return jackpot && {
      lotteryName: this.#generator.lotteryName(jackpot.lottery),
      millions: jackpot.millions,
    };
  }
}

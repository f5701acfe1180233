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
  /** Events per second of event time over a whole week, besides those of jackpots. */
  readonly rate: number;
  /** When the log was begun, in milliseconds since the epoch. */
  readonly begunMs: number;
  /** How much of what is older than the log exists at once, thinned. */
  readonly past: { readonly days: number; readonly share: number };
  /**
   * How fast event time passes until it has reached now; from then on it passes as usual.
   * With 1, all events older than the log exist at once; otherwise those of the last
   * minutes or hours, up to a day, are played.
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
const DAY_MS = 24 * 60 * MINUTE_MS;
/** How long it takes until event time has reached now, at speeds up to the one that plays a day. */
const PLAY_MS = 24 * MINUTE_MS;
const GREATEST_SPEED_TO_PLAY = 60;

export class GeneratedLog {
  readonly #options: GeneratedLogOptions;
  readonly #generator: Generator;
  readonly #story: Story;
  /** Event time when the log was begun. */
  readonly #firstMs: number;
  /** When its first event may come. */
  readonly startMs: number;

  constructor(options: GeneratedLogOptions) {
    const { begunMs, past, speed } = options;
    const playedMs = speed === 1 ? 0 : PLAY_MS * Math.min(speed, GREATEST_SPEED_TO_PLAY);
    this.#options = options;
    this.#firstMs = Math.floor(begunMs - playedMs);
    this.startMs = this.#firstMs - past.days * DAY_MS;
    this.#generator = new Generator(options);
    this.#story = new Story({
      ...options,
      startMs: this.startMs,
      growth: { from: past.share, endMs: this.#firstMs },
    });
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
    return Math.min(nowMs, this.#firstMs + Math.floor((nowMs - begunMs) * speed));
  }

  /** The jackpot that brings a crowd at `nowMs`, or null. */
  jackpotAt(nowMs: number): Announcement | null {
    const jackpot = this.#story.jackpotAt(this.eventTimeAt(nowMs));
    return jackpot && {
      lotteryName: this.#generator.lotteryNames[jackpot.lottery]!,
      millions: jackpot.millions,
    };
  }
}

/**
 * Everything that browsers look on live: one feed with the status for all of them, and one
 * for each view of the counts that somebody watches. So what is asked of the database does
 * not depend on how many they are.
 * @module
 */

import type { Range } from "../../core/views/time_range.ts";
import type { ViewChoice } from "../../core/views/window_view.ts";
import { RequestError } from "./answers.ts";
import { EventStream } from "./event_stream.ts";
import { Feed } from "./feed.ts";

/** What is asked for those who look on. */
export interface LiveOptions {
  readonly status: () => Promise<unknown>;
  readonly view: (choice: ViewChoice) => Promise<unknown>;
  /** Time between two looks at the status, and at the shortest range. */
  readonly tickMs?: number;
}

const TICK_MS = 1_000;
/** Ticks between two looks: longer ranges change less. */
const TICKS: Readonly<Record<Range, number>> = { "15m": 1, "1h": 2, "24h": 10 };
/** A view whose counts are slow to read is looked at this often. */
const MAX_INTERVAL_MS = 60_000;
const MAX_STREAMS = 500;
const MAX_VIEWS = 30;
const BEAT_INTERVAL_MS = 15_000;

export class Live implements Disposable {
  readonly #options: Required<LiveOptions>;
  readonly #status: Feed;
  readonly #views = new Map<string, Feed>();
  readonly #streams = new Set<EventStream>();
  readonly #beats: ReturnType<typeof setInterval>;
  #isOpen = true;

  constructor({ tickMs = TICK_MS, ...options }: LiveOptions) {
    this.#options = { ...options, tickMs };
    this.#status = new Feed({
      name: "status",
      ask: options.status,
      intervalMs: tickMs,
      maxIntervalMs: tickMs,
    });
    this.#beats = setInterval(() => this.#beat(), BEAT_INTERVAL_MS);
    Deno.unrefTimer(this.#beats);
  }

  /**
   * A stream of the status and of the counts chosen.
   * @throws {RequestError} if there are too many streams or different views.
   */
  open(choice: ViewChoice): Response {
    if (!this.#isOpen) throw new RequestError("The worker is about to end.", { status: 503 });
    if (this.#streams.size >= MAX_STREAMS) {
      throw new RequestError(`${MAX_STREAMS} pages look on already.`, { status: 503 });
    }
    const view = this.#viewOf(choice);
    let unwatch: (() => void)[] = [];
    const stream = new EventStream(() => {
      this.#streams.delete(stream);
      unwatch.forEach((end) => end());
      this.#forgetViews();
    });
    this.#streams.add(stream);
    unwatch = [this.#status.watch(stream.send), view.watch(stream.send)];
    return stream.response;
  }

  /** Ends all streams; browsers connect anew, perhaps to another worker. */
  [Symbol.dispose](): void {
    this.#isOpen = false;
    clearInterval(this.#beats);
    for (const stream of [...this.#streams]) stream.end();
  }

  #viewOf(choice: ViewChoice): Feed {
    const key = JSON.stringify([choice.range, choice.lotteryName]);
    const known = this.#views.get(key);
    if (known) return known;
    if (this.#views.size >= MAX_VIEWS) {
      throw new RequestError(
        `${MAX_VIEWS} different lotteries and ranges are looked at already.`,
        { status: 503 },
      );
    }
    const feed = new Feed({
      name: "counts",
      ask: () => this.#options.view(choice),
      intervalMs: TICKS[choice.range] * this.#options.tickMs,
      maxIntervalMs: MAX_INTERVAL_MS,
    });
    this.#views.set(key, feed);
    return feed;
  }

  #forgetViews(): void {
    for (const [key, feed] of this.#views) {
      if (!feed.isWatched) this.#views.delete(key);
    }
  }

  #beat(): void {
    for (const stream of [...this.#streams]) stream.beat();
  }
}

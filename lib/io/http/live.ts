/**
 * Live updates for open pages: one feed of the status for all of them, and one for each view of
 * the counts that is open. So the load on the database does not depend on the number of pages.
 * @module
 */

import type { Range } from "../../core/views/time_range.ts";
import type { ViewChoice } from "../../core/views/window_view.ts";
import { EventStream } from "./event_stream.ts";
import { Feed } from "./feed.ts";
import { RequestError } from "./responses.ts";

export interface LiveOptions {
  readonly status: () => Promise<unknown>;
  readonly view: (choice: ViewChoice) => Promise<unknown>;
  /** Time between two polls of the status, and of the shortest range. */
  readonly tickMs?: number;
}

const TICK_MS = 1_000;
/** Ticks between two polls: longer ranges change less. */
const TICKS: Readonly<Record<Range, number>> = {
  "15m": 1,
  "1h": 2,
  "24h": 10,
  "7d": 10,
  "30d": 30,
  "1y": 30,
};
const FIXED_RANGE_TICKS = 30;
/** Time between two polls of a view whose counts are slow to read. */
const MAX_INTERVAL_MS = 60_000;
const MAX_STREAMS = 500;
const MAX_VIEWS = 30;
const HEARTBEAT_MS = 15_000;

export class Live implements Disposable {
  readonly #options: Required<LiveOptions>;
  readonly #status: Feed;
  readonly #views = new Map<string, Feed>();
  readonly #streams = new Set<EventStream>();
  readonly #heartbeats: ReturnType<typeof setInterval>;
  #isOpen = true;

  constructor({ tickMs = TICK_MS, ...options }: LiveOptions) {
    this.#options = { ...options, tickMs };
    this.#status = new Feed({
      name: "status",
      poll: options.status,
      intervalMs: tickMs,
      maxIntervalMs: tickMs,
    });
    this.#heartbeats = setInterval(() => {
      for (const stream of [...this.#streams]) stream.heartbeat();
    }, HEARTBEAT_MS);
    Deno.unrefTimer(this.#heartbeats);
  }

  /**
   * A stream of the status and of the chosen counts.
   * @throws {RequestError} if too many streams or different views are open.
   */
  open(choice: ViewChoice): Response {
    if (!this.#isOpen) throw new RequestError("The worker is shutting down.", { status: 503 });
    if (this.#streams.size >= MAX_STREAMS) {
      throw new RequestError(`${MAX_STREAMS} pages are already open. Try again later.`, {
        status: 503,
      });
    }
    const view = this.#viewOf(choice);
    let subscriptions: (() => void)[] = [];
    const stream = new EventStream(() => {
      this.#streams.delete(stream);
      subscriptions.forEach((unsubscribe) => unsubscribe());
      this.#forgetViews();
    });
    this.#streams.add(stream);
    subscriptions = [this.#status.subscribe(stream.send), view.subscribe(stream.send)];
    return stream.response;
  }

  /** Ends all streams; browsers reconnect, perhaps to another worker. */
  [Symbol.dispose](): void {
    this.#isOpen = false;
    clearInterval(this.#heartbeats);
    for (const stream of [...this.#streams]) stream.end();
  }

  #viewOf(choice: ViewChoice): Feed {
    const { range, lotteryNames, zone } = choice;
    const isFixed = typeof range !== "string";
    const key = JSON.stringify([
      isFixed ? [range.fromMs, range.toMs] : range,
      lotteryNames,
      zone,
    ]);
    const known = this.#views.get(key);
    if (known) return known;
    if (this.#views.size >= MAX_VIEWS) {
      throw new RequestError(
        `${MAX_VIEWS} different lotteries and ranges are already open. Try again later.`,
        { status: 503 },
      );
    }
    const feed = new Feed({
      name: "counts",
      poll: () => this.#options.view(choice),
      intervalMs: (isFixed ? FIXED_RANGE_TICKS : TICKS[range]) * this.#options.tickMs,
      maxIntervalMs: MAX_INTERVAL_MS,
    });
    this.#views.set(key, feed);
    return feed;
  }

  #forgetViews(): void {
    for (const [key, feed] of this.#views) {
      if (!feed.hasSubscribers) this.#views.delete(key);
    }
  }
}

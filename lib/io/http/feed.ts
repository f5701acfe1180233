/**
 * Polls one source for any number of subscribers: only while it has some, and encodes each
 * change once for all of them.
 * @module
 */

import { delay } from "../../async/delay.ts";

export interface FeedOptions {
  readonly name: string;
  /** A rejection is skipped, and the next poll tries again. */
  readonly poll: () => Promise<unknown>;
  /** Time between two polls of a fast source. */
  readonly intervalMs: number;
  /** Time between two polls of the slowest source. */
  readonly maxIntervalMs: number;
}

/** Polling takes at most a tenth of the time, so that a slow database gets its rest. */
const REST_PER_POLL = 9;

/** Takes a server-sent event; must not throw. */
export type Subscriber = (event: Uint8Array) => void;

export class Feed {
  readonly #options: FeedOptions;
  readonly #subscribers = new Set<Subscriber>();
  readonly #encoder = new TextEncoder();
  /** What new subscribers get; null before the first poll. */
  #latest: Uint8Array | null = null;
  #latestText = "";
  #polling = new AbortController();

  constructor(options: FeedOptions) {
    this.#options = options;
  }

  get hasSubscribers(): boolean {
    return this.#subscribers.size > 0;
  }

  /** Passes on the latest event at once, then every change. @returns how to unsubscribe. */
  subscribe(subscriber: Subscriber): () => void {
    this.#subscribers.add(subscriber);
    if (this.#subscribers.size === 1) {
      this.#polling = new AbortController();
      void this.#poll(this.#polling.signal);
    } else if (this.#latest) subscriber(this.#latest);
    return () => {
      if (this.#subscribers.delete(subscriber) && !this.hasSubscribers) this.#polling.abort();
    };
  }

  async #poll(signal: AbortSignal): Promise<void> {
    this.#latest = null;
    const { poll, intervalMs, maxIntervalMs } = this.#options;
    while (!signal.aborted) {
      const startedAt = performance.now();
      const result = await poll().catch(() => undefined); // the source reports its own failures
      if (signal.aborted) return;
      if (result !== undefined) this.#publish(JSON.stringify(result));
      const restMs = REST_PER_POLL * (performance.now() - startedAt);
      await delay(Math.min(maxIntervalMs, Math.max(intervalMs, restMs)), signal);
    }
  }

  #publish(text: string): void {
    if (this.#latest && text === this.#latestText) return;
    this.#latestText = text;
    this.#latest = this.#encoder.encode(`event: ${this.#options.name}\ndata: ${text}\n\n`);
    for (const subscriber of this.#subscribers) subscriber(this.#latest);
  }
}

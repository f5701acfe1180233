/**
 * One question for all who look on: it is asked now and then as long as somebody watches,
 * and its answer is encoded once and given to everybody.
 * @module
 */

import { delay } from "../../async/delay.ts";

/** How a feed asks. */
export interface FeedOptions {
  /** Name of its server-sent events. */
  readonly name: string;
  /** Asks once; what is no answer passes, and is asked again. */
  readonly ask: () => Promise<unknown>;
  /** Time between two questions, if they are quick. */
  readonly intervalMs: number;
  /** Time between two questions, however slow they are. */
  readonly maxIntervalMs: number;
}

/** Of all time a feed asks at most a tenth, so that what is asked has its rest. */
const REST_PER_ASKING = 9;

/** Takes a server-sent event; must not throw. */
export type Listener = (event: Uint8Array) => void;

export class Feed {
  readonly #options: FeedOptions;
  readonly #listeners = new Set<Listener>();
  readonly #encoder = new TextEncoder();
  /** The newest answer, for whoever comes; null while nobody has watched for so long that it is old. */
  #newest: Uint8Array | null = null;
  #newestText = "";
  #asking = new AbortController();

  constructor(options: FeedOptions) {
    this.#options = options;
  }

  get isWatched(): boolean {
    return this.#listeners.size > 0;
  }

  /** Gives it the newest answer at once, and then each that is another. @returns how to end it. */
  watch(listener: Listener): () => void {
    this.#listeners.add(listener);
    if (this.#listeners.size === 1) {
      this.#asking = new AbortController();
      void this.#askNowAndThen(this.#asking.signal);
    } else if (this.#newest) listener(this.#newest);
    return () => {
      if (this.#listeners.delete(listener) && !this.isWatched) this.#asking.abort();
    };
  }

  async #askNowAndThen(signal: AbortSignal): Promise<void> {
    this.#newest = null;
    const { ask, intervalMs, maxIntervalMs } = this.#options;
    while (!signal.aborted) {
      const startedAt = performance.now();
      const answer = await ask().catch(() => undefined); // who is asked tells of its own troubles
      if (signal.aborted) return;
      if (answer !== undefined) this.#tell(JSON.stringify(answer));
      const restMs = REST_PER_ASKING * (performance.now() - startedAt);
      await delay(Math.min(maxIntervalMs, Math.max(intervalMs, restMs)), signal);
    }
  }

  #tell(text: string): void {
    if (this.#newest && text === this.#newestText) return;
    this.#newestText = text;
    this.#newest = this.#encoder.encode(`event: ${this.#options.name}\ndata: ${text}\n\n`);
    for (const listener of this.#listeners) listener(this.#newest);
  }
}

/**
 * Publishes the counts of closed windows: from an outbox to an output, each until it
 * is acknowledged.
 *
 * It runs beside the pipeline and never delays it. Of several workers one publishes:
 * opening an output shuts out the worker that had it open before. So although a worker
 * may be frozen and thaw at any moment, a count's last record is that of its greatest
 * revision: all that is sent after opening was read after opening.
 * @module
 */

import { backoffMs, type BackoffOptions } from "../async/backoff.ts";
import { delay } from "../async/delay.ts";
import { isPassing, UnavailableError } from "../core/failure.ts";
import type { ClosedCount, CountKey, PublishedCount } from "../core/windowing/closed_count.ts";
import { OutputReview, type TableCount } from "../core/windowing/output_review.ts";

export interface Outbox {
  /** Asks for the right to publish, for the next seconds. False while another worker has it. */
  claim(): Promise<boolean>;
  release(): Promise<void>;
  /** Makes all further revisions, also of counts that wait, greater than those that consumers may have. */
  renewRevisions(): Promise<void>;
  /** Adds some of the windows closed since the last time, the oldest first. */
  fill(): Promise<void>;
  /** Up to `limit` counts, the oldest windows first; the same ones again until they are removed. */
  next(limit: number): Promise<readonly ClosedCount[]>;
  /** Removes what consumers have now; a count that has changed since it was read stays. */
  remove(counts: readonly ClosedCount[]): Promise<void>;
  /** True if the output may hold other counts than the table, because the database has lost some. */
  isReviewDue(): Promise<boolean>;
  /** The table's count of each key. */
  lookUp(keys: readonly CountKey[]): Promise<readonly TableCount[]>;
  /** Adds these counts again, as far as the table has them. */
  takeAgain(keys: readonly CountKey[]): Promise<void>;
  /** Records that the output agrees with the table. */
  reviewed(): Promise<void>;
}

/** Where counts are published. Calls never overlap; after one that failed it is closed. */
export interface Output {
  /** Connects, and shuts out everyone who has the same output open. */
  open(): Promise<void>;
  /** Resolves when the counts are durable. @throws if another worker has opened it since. */
  send(counts: readonly ClosedCount[]): Promise<void>;
  /** Says that these counts no longer exist; otherwise like `send`. */
  retract(keys: readonly CountKey[]): Promise<void>;
  /** All that the output holds; the records of one count in their order. */
  read(): AsyncIterable<readonly PublishedCount[]>;
  close(): Promise<void>;
}

/** Calls must not throw. */
export interface PublisherObserver {
  /** The output has acknowledged these counts. */
  published(counts: number): void;
  /** The output was compared with the table, which says how many counts to publish again or retract. */
  reviewed(differing: { readonly again: number; readonly retracted: number }): void;
  /** The output cannot be compared with the table, for a reason that does not pass by itself. */
  notReviewed(error: unknown): void;
  /** A round failed and will be repeated, whatever the reason. */
  failed(error: unknown): void;
  recovered(): void;
}

export interface PublisherOptions {
  readonly outbox: Outbox;
  readonly output: Output;
  readonly observer: PublisherObserver;
}

/** Counts of one round. With the longest names they are still below Kafka's default limit of 1 MiB. */
const ROUND_COUNTS = 200;
const IDLE_MS = 1_000;
const BACKOFF: BackoffOptions = { firstMs: 1_000, maxMs: 30_000 };
/** How often to check whether the output has to be compared with the table. */
const REVIEW_INTERVAL_MS = 600_000;

export class Publisher {
  readonly #outbox: Outbox;
  readonly #output: Output;
  readonly #observer: PublisherObserver;
  #isOpen = false;
  #reviewAt = 0;

  constructor({ outbox, output, observer }: PublisherOptions) {
    this.#outbox = outbox;
    this.#output = output;
    this.#observer = observer;
  }

  async run(signal: AbortSignal): Promise<void> {
    for (let failures = 0; !signal.aborted;) {
      try {
        const published = await this.#round();
        this.#observer.recovered();
        failures = 0;
        if (published < ROUND_COUNTS) await delay(IDLE_MS, signal);
      } catch (error) {
        await this.#close();
        if (signal.aborted) break;
        this.#observer.failed(error);
        await delay(backoffMs(failures++, { ...BACKOFF, random: Math.random() }), signal);
      }
    }
    await this.#close();
    await this.#outbox.release().catch(() => {}); // others wait a little longer then
  }

  /** @returns how many counts were published. */
  async #round(): Promise<number> {
    if (!await this.#outbox.claim()) {
      await this.#close();
      return 0;
    }
    if (!this.#isOpen) {
      await this.#output.open();
      await this.#outbox.renewRevisions();
      this.#isOpen = true;
    }
    if (performance.now() >= this.#reviewAt) {
      if (await this.#outbox.isReviewDue()) await this.#tryReview();
      this.#reviewAt = performance.now() + REVIEW_INTERVAL_MS;
    }
    let counts = await this.#outbox.next(ROUND_COUNTS);
    if (counts.length < ROUND_COUNTS) {
      await this.#outbox.fill();
      counts = await this.#outbox.next(ROUND_COUNTS);
    }
    if (counts.length === 0) return 0;
    await this.#output.send(counts);
    await this.#outbox.remove(counts);
    this.#observer.published(counts.length);
    return counts.length;
  }

  /** A failure does not stop publishing, which does not need the right to read the output. */
  async #tryReview(): Promise<void> {
    try {
      await this.#review();
    } catch (error) {
      if (isPassing(error)) throw error;
      this.#observer.notReviewed(error);
    }
  }

  /** Makes the last record of each key what the table has. No other worker publishes meanwhile. */
  async #review(): Promise<void> {
    const [outbox, output] = [this.#outbox, this.#output];
    const review = new OutputReview();
    for await (const published of output.read()) {
      if (!await outbox.claim()) throw new UnavailableError("Another worker is publishing now");
      review.take(published, await outbox.lookUp(published.map(({ key }) => key)));
    }
    const differing = { again: 0, retracted: 0 };
    for (const keys of inPages(review.stale, ROUND_COUNTS)) {
      const inTable = await outbox.lookUp(keys);
      // What retention has deleted meanwhile stays in the output.
      const gone = keys.filter((_, at) => {
        const { count, isDeleted } = inTable[at]!;
        return count === null && !isDeleted;
      });
      if (gone.length > 0) await output.retract(gone);
      await outbox.takeAgain(keys);
      differing.retracted += gone.length;
      differing.again += keys.length - gone.length;
    }
    // Differences in windows that are not published yet are reviewed again then.
    if (!review.isEarly) await outbox.reviewed();
    this.#observer.reviewed(differing);
  }

  async #close(): Promise<void> {
    this.#isOpen = false;
    await this.#output.close().catch(() => {});
  }
}

function* inPages<T>(items: readonly T[], size: number): Generator<readonly T[]> {
  for (let at = 0; at < items.length; at += size) yield items.slice(at, at + size);
}

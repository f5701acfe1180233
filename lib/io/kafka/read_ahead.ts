/**
 * Fetches that wait to be counted, so that the next ones are on their way meanwhile.
 * Without it broker and worker take turns: a third of the time each waits for the other.
 * @module
 */

import { Condition } from "../../async/condition.ts";
import type { Fetched } from "../../core/records/log_batch.ts";

/** Twice as many as there mostly are partitions in one response of the broker. */
const MAX_FETCHES = 8;

export class ReadAhead {
  #fetches: Fetched[] = [];
  readonly #changed = new Condition();

  /** Takes a fetch. There may always be one more: who adds it waits for `room` after. */
  add(fetched: Fetched): void {
    this.#fetches.push(fetched);
    this.#changed.notify();
  }

  /** Resolves to true when there is room for more, and to false after `timeoutMs`. */
  async room(timeoutMs: number): Promise<boolean> {
    return await this.#changed.until(() => this.#fetches.length < MAX_FETCHES, { timeoutMs });
  }

  /** Forgets what is read of partitions that are read from elsewhere now. */
  forget(isMoved: (partition: number) => boolean): void {
    this.#fetches = this.#fetches.filter(({ partition }) => !isMoved(partition));
    this.#changed.notify();
  }

  /** Hands over one fetch after the other, until the signal aborts. @throws what `take` throws. */
  async handOver(take: (fetched: Fetched) => Promise<void>, signal: AbortSignal): Promise<void> {
    while (await this.#changed.until(() => this.#fetches.length > 0, { signal })) {
      if (signal.aborted) return;
      await take(this.#fetches.shift()!);
      this.#changed.notify();
    }
  }
}

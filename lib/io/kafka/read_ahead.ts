/**
 * Fetches that wait to be counted while the next ones are under way. Without it broker and worker
 * take turns: each waits for the other a third of the time.
 * @module
 */

import { Condition } from "../../async/condition.ts";
import type { Fetched } from "../../core/records/log_batch.ts";

/** Twice the usual number of partitions in one response of the broker. */
const MAX_FETCHES = 8;

export class ReadAhead {
  #fetches: Fetched[] = [];
  readonly #changed = new Condition();

  /** Takes a fetch, even if it is one too many: the caller waits for `room` afterwards. */
  add(fetched: Fetched): void {
    this.#fetches.push(fetched);
    this.#changed.notify();
  }

  /** Resolves to true once more fetches fit, and to false after `timeoutMs`. */
  async room(timeoutMs: number): Promise<boolean> {
    return await this.#changed.until(() => this.#fetches.length < MAX_FETCHES, { timeoutMs });
  }

  /** Drops the fetches of partitions that are read from another offset now. */
  drop(isMoved: (partition: number) => boolean): void {
    this.#fetches = this.#fetches.filter(({ partition }) => !isMoved(partition));
    this.#changed.notify();
  }

  /** Passes one fetch after the other to `take`, until the signal aborts. @throws what `take` throws. */
  async handOver(take: (fetched: Fetched) => Promise<void>, signal: AbortSignal): Promise<void> {
    while (await this.#changed.until(() => this.#fetches.length > 0, { signal })) {
      if (signal.aborted) return;
      await take(this.#fetches.shift()!);
      this.#changed.notify();
    }
  }
}

/**
 * Whether a pipeline has counted what was there when it began.
 * @module
 */

import { Condition } from "../../async/condition.ts";
import type { Commit } from "../../core/windowing/pending.ts";
import type { PipelineObserver } from "../../pipeline/observer.ts";

export class CatchingUp implements Partial<PipelineObserver> {
  readonly #changed = new Condition();
  /** Partitions that were not read to their ends yet; null before they are known. */
  #behind: Set<number> | null = null;

  assigned(partitions: readonly number[]): void {
    this.#behind ??= new Set(partitions);
  }

  committed({ partitions }: Commit): void {
    for (const { partition, caughtUp } of partitions) {
      if (caughtUp) this.#behind?.delete(partition);
    }
    this.#changed.notify();
  }

  /** Does it as soon as every partition was read to its end, unless the signal aborts before. */
  async followedBy(action: () => Promise<void>, signal: AbortSignal): Promise<void> {
    if (await this.#changed.until(() => this.#behind?.size === 0, { signal })) await action();
  }
}

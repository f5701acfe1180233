/**
 * Compares what an output holds with the table: after the database has lost what it had committed
 * (a failover, a restore), the output may have counts that the table has not.
 * @module
 */

import type { CountKey, PublishedCount } from "./closed_count.ts";

export interface TableCount {
  /** Null if it has no such row. */
  readonly count: number | null;
  /** Deleted for its age: what the output has of it stays. */
  readonly isDeleted: boolean;
  /** Its window was handed over for publishing: the output should have the same count. */
  readonly isHandedOver: boolean;
}

export class OutputReview {
  readonly #stale = new Map<string, CountKey>();
  /** Whether a window differs that is not published yet. */
  isEarly = false;

  /** @param inTable element n is about `published[n]`. */
  take(published: readonly PublishedCount[], inTable: readonly TableCount[]): void {
    for (const [at, { key, count }] of published.entries()) {
      const { count: expected, isDeleted, isHandedOver } = inTable[at]!;
      const name = JSON.stringify([key.windowStartMs, key.lotteryName, key.eventType]);
      if (count === expected || isDeleted) this.#stale.delete(name);
      else if (isHandedOver) this.#stale.set(name, key);
      else this.isEarly = true;
    }
  }

  /** Keys with a last record that differs from the table. */
  get stale(): readonly CountKey[] {
    return [...this.#stale.values()];
  }
}

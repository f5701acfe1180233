/**
 * What the loops of a pipeline share: the assignment, the ledger that counts it, and since when
 * something is pending.
 * @module
 */

import { Condition } from "../async/condition.ts";
import { Ledger } from "../core/offsets/ledger.ts";
import type { StartOffset } from "../core/offsets/positions.ts";
import type { Commit, PendingOptions, TimeBounds } from "../core/windowing/pending.ts";

/** Partitions assigned by the source; a new object, even with the same partitions, starts over. */
export interface Assignment {
  readonly partitions: readonly number[];
}

export class PipelineState {
  readonly ledger: Ledger;
  /** Notified whenever something here changes. */
  readonly changed = new Condition();
  /** Aborts when the pipeline has to stop. */
  stopping: AbortSignal = new AbortController().signal;
  bounds: TimeBounds = { closedUpToMs: -Infinity, horizonMs: -Infinity };
  #assignment: Assignment = { partitions: [] };
  /** The assignment that the ledger was started with. */
  #started: Assignment = this.#assignment;
  #pendingSinceMs: number | null = null;

  constructor(options: PendingOptions) {
    this.ledger = new Ledger(options);
  }

  get assignment(): Assignment {
    return this.#assignment;
  }

  /** The ledger has the positions of the assignment. */
  get isStarted(): boolean {
    return this.#assignment === this.#started;
  }

  /** When the first of what is pending was counted, by `performance.now()`; null if nothing is. */
  get pendingSinceMs(): number | null {
    return this.#pendingSinceMs;
  }

  /** Drops all that is pending; nothing is counted before `start`. */
  startOver(partitions: readonly number[] = this.#assignment.partitions): void {
    this.ledger.drop();
    this.#pendingSinceMs = null;
    this.#assignment = { partitions };
    this.changed.notify();
  }

  /** Counts the assignment from the given offsets. @returns the offsets to read from. */
  start(startOffsets: readonly StartOffset[]): ReadonlyMap<number, number> {
    this.#started = this.#assignment;
    const positions = this.ledger.start(startOffsets);
    this.ledgerChanged();
    return positions;
  }

  drain(): Commit {
    this.#pendingSinceMs = null;
    return this.ledger.drain();
  }

  ledgerChanged(): void {
    if (!this.ledger.isEmpty) this.#pendingSinceMs ??= performance.now();
    this.changed.notify();
  }
}

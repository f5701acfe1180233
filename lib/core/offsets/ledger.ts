/**
 * What a worker holds between the log and the sink: where it stands in each
 * partition, and the counts that are not committed yet.
 *
 * Exactly once rests on one invariant: what is pending for a partition are the
 * counts of exactly the records between the offset that the sink has stored and
 * where the partition stands. So both are changed together here, and dropped together.
 * @module
 */

import type { Fetched, LogBatch } from "../records/log_batch.ts";
import type { RecordBatch } from "../records/record_batch.ts";
import { UnreadableBatchError } from "../records/unreadable_batch.ts";
import {
  type Commit,
  Pending,
  type PendingOptions,
  type TimeBounds,
} from "../windowing/pending.ts";
import { type Fit, type Placement, Positions } from "./positions.ts";

export class Ledger {
  readonly #pending: Pending;
  readonly #positions = new Positions();
  /** What of each partition turned out to be unreadable while it was counted. */
  readonly #unreadable = new Map<number, UnreadableBatchError>();

  constructor(options: PendingOptions) {
    this.#pending = new Pending(options);
  }

  /** Nothing to commit, not even a partition that was moved. */
  get isEmpty(): boolean {
    return this.#pending.isEmpty;
  }

  /** Rough number of bytes that the pending counts keep in memory. */
  get pendingBytes(): number {
    return this.#pending.bytes;
  }

  /** Next offset to count of every partition that was placed. */
  positions(): Map<number, number> {
    return this.#positions.all();
  }

  /** True if every partition that was placed stands at its end or behind it. */
  reaches(ends: ReadonlyMap<number, number>): boolean {
    return this.#positions.reach(ends);
  }

  /**
   * Takes stored positions as ours. One before the start of its log is moved there, and the next
   * commit tells what was lost; it also tells of one that is the end of its log.
   * @returns the offsets to read from.
   */
  place(placements: readonly Placement[]): Map<number, number> {
    return new Map(placements.map((placement) => {
      const { partition, position, range } = placement;
      const resumeAt = this.#positions.place(placement);
      const [from, to] = [position.nextOffset, range.startOffset];
      if (from >= to) {
        if (from === range.endOffset) this.noteEnd(partition, from);
        return [partition, resumeAt];
      }
      this.#pending.skip({ partition, from, to });
      this.#positions.move(partition, to);
      return [partition, to];
    }));
  }

  /** Judges a fetch: only one that fits may be counted. */
  judge(fetched: Fetched): Fit {
    return this.#positions.judge(fetched);
  }

  /** True if all of the batch was counted before: it is only read to know the log by. */
  hasCounted({ nextOffset }: LogBatch, partition: number): boolean {
    return nextOffset <= this.#positions.get(partition)!;
  }

  /** True while it stands somewhere: until everything is dropped. */
  isPlaced(partition: number): boolean {
    return this.#positions.get(partition) !== undefined;
  }

  /**
   * Counts one piece of a batch of a fetch that fits.
   * @throws {UnreadableBatchError} for one that cannot be read. The first time everything is dropped,
   * because a part of it is counted, which no offset stands for; the next time nothing of it is
   * counted, and what is pending ends before it.
   */
  count(
    batch: RecordBatch,
    { partition, ...bounds }: { readonly partition: number } & TimeBounds,
  ): void {
    const from = this.#positions.get(partition)!;
    if (batch.nextOffset <= from) return; // counted before
    this.#assertReadable(batch, partition);
    try {
      this.#positions.move(
        partition,
        this.#pending.count(batch, { partition, from, ...bounds }),
      );
    } catch (error) {
      if (error instanceof UnreadableBatchError) this.#unreadable.set(partition, error);
      this.drop();
      throw error;
    }
  }

  #assertReadable({ nextOffset }: RecordBatch, partition: number): void {
    const known = this.#unreadable.get(partition);
    if (known && nextOffset >= known.nextOffset) throw known;
  }

  /** Moves the partition behind a fetch whose batches are counted. */
  finish({ partition, nextOffset, endOffset }: Fetched): void {
    const from = this.#positions.get(partition)!;
    const to = Math.max(from, nextOffset);
    this.#pending.advance({ partition, from, nextOffset: to, caughtUp: to === endOffset });
    this.#positions.move(partition, to);
  }

  /** Takes the log of a partition for the one that was counted. @returns the offset to read from. */
  trust(partition: number): number | undefined {
    this.#positions.trust(partition);
    return this.#positions.get(partition);
  }

  /** Notes that `position` is the end of the log, if the partition still stands there. */
  noteEnd(partition: number, position: number): void {
    if (this.#positions.get(partition) !== position) return;
    this.#pending.advance({ partition, from: position, nextOffset: position, caughtUp: true });
  }

  /** Hands over what is pending; the partitions stay where they stand. */
  drain(): Commit {
    return this.#pending.drain();
  }

  /** Forgets everything: counting goes on only where the partitions are placed anew. */
  drop(): void {
    this.#pending.clear();
    this.#positions.clear();
  }
}

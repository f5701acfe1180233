/**
 * What a worker holds between the log and the sink: its position in each
 * partition, and the counts that are not committed yet.
 *
 * Exactly once rests on one invariant: what is pending for a partition are the
 * counts of exactly the records between the offset that the sink has stored and
 * the partition's position. So both are changed together here, and dropped together.
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
import { type Fit, Positions, type StartOffset } from "./positions.ts";

export class Ledger {
  readonly #pending: Pending;
  readonly #positions = new Positions();
  /** The batch of each partition that turned out to be unreadable while it was counted. */
  readonly #unreadable = new Map<number, UnreadableBatchError>();

  constructor(options: PendingOptions) {
    this.#pending = new Pending(options);
  }

  /** Nothing to commit, not even a moved position. */
  get isEmpty(): boolean {
    return this.#pending.isEmpty;
  }

  /** Rough number of bytes that the pending counts keep in memory. */
  get pendingBytes(): number {
    return this.#pending.bytes;
  }

  positions(): Map<number, number> {
    return this.#positions.all();
  }

  /** True if every partition is at its end or behind it. */
  hasReached(ends: ReadonlyMap<number, number>): boolean {
    return this.#positions.haveReached(ends);
  }

  /**
   * Starts partitions at their stored positions. One before the start of its log is moved there, and
   * the next commit tells what was lost; it also tells of one that is the end of its log.
   * @returns the offsets to read from.
   */
  start(startOffsets: readonly StartOffset[]): Map<number, number> {
    return new Map(startOffsets.map((startOffset) => {
      const { partition, position, range } = startOffset;
      const resumeAt = this.#positions.start(startOffset);
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

  /** How a fetch fits: only one that `fits` may be counted. */
  fitOf(fetched: Fetched): Fit {
    return this.#positions.fitOf(fetched);
  }

  /** True if all of the batch was counted before: it is only read to recognize the log. */
  hasCounted({ nextOffset }: LogBatch, partition: number): boolean {
    return nextOffset <= this.#positions.get(partition)!;
  }

  /** True for a partition that was started, until everything is dropped. */
  has(partition: number): boolean {
    return this.#positions.get(partition) !== undefined;
  }

  /**
   * Counts one piece of a batch of a fetch that fits.
   * @throws {UnreadableBatchError} for one that cannot be read. The first time everything is dropped,
   * because part of the batch is pending and cannot be committed; the next time none of it is
   * counted, and pending counts end before it.
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

  /** Moves the partition past a fetch once its batches are counted. */
  finish({ partition, nextOffset, endOffset }: Fetched): void {
    const from = this.#positions.get(partition)!;
    const to = Math.max(from, nextOffset);
    this.#pending.advance({ partition, from, nextOffset: to, caughtUp: to === endOffset });
    this.#positions.move(partition, to);
  }

  /** Takes the log of a partition for the one that was counted. @returns the offset to read from. */
  acceptLog(partition: number): number | undefined {
    this.#positions.acceptLog(partition);
    return this.#positions.get(partition);
  }

  /** Records that `position` is the end of the log, if the partition is still at it. */
  noteEnd(partition: number, position: number): void {
    if (this.#positions.get(partition) !== position) return;
    this.#pending.advance({ partition, from: position, nextOffset: position, caughtUp: true });
  }

  /** Hands over what is pending; the partitions keep their positions. */
  drain(): Commit {
    return this.#pending.drain();
  }

  /** Forgets everything: nothing is counted before the partitions are started again. */
  drop(): void {
    this.#pending.clear();
    this.#positions.clear();
  }
}

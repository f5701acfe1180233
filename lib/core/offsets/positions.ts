/**
 * How far each partition of a worker is counted, and whether what was read fits there.
 *
 * An offset means something only in the log that it was counted in. So reading
 * continues at the last batch that was counted, which must still be there with its
 * checksum: then it is the same log, and not one created again with more records.
 * @module
 */

import type { Fetched, LogBatch } from "../records/log_batch.ts";
import type { BatchMark } from "../windowing/pending.ts";
import type { LogRange } from "./log_range.ts";

export interface Position {
  readonly nextOffset: number;
  /** The last counted batch; null without one, or if it could not be identified. */
  readonly lastBatch: BatchMark | null;
}

/** A partition's stored position, and what its log holds. */
export interface StartOffset {
  readonly partition: number;
  readonly position: Position;
  readonly range: LogRange;
}

/** How a fetch fits: only one that `fits` may be counted. */
export type Fit = "fits" | "elsewhere" | "other log" | "not started";

interface Progress {
  nextOffset: number;
  /** The batch that the next fetch has to begin with, until it has. */
  unseen: BatchMark | null;
}

export class Positions {
  readonly #partitions = new Map<number, Progress>();

  /**
   * Starts at a stored position.
   * @returns the offset to read from: that of the last counted batch, if the log still has it and
   * it lies before the position, which an operator may have set back by hand.
   */
  start({ partition, position: { nextOffset, lastBatch }, range }: StartOffset): number {
    const isThere = lastBatch !== null && lastBatch.lastOffset >= range.startOffset &&
      lastBatch.lastOffset < nextOffset;
    const unseen = isThere ? lastBatch : null;
    this.#partitions.set(partition, { nextOffset, unseen });
    return unseen?.lastOffset ?? nextOffset;
  }

  /** Next offset to count, or undefined if the partition was not started. */
  get(partition: number): number | undefined {
    return this.#partitions.get(partition)?.nextOffset;
  }

  /** Next offset to count of every partition that was started. */
  all(): Map<number, number> {
    return new Map(Array.from(this.#partitions, ([id, { nextOffset }]) => [id, nextOffset]));
  }

  /** True if every partition is at its end or behind it; one without an end is. */
  haveReached(ends: ReadonlyMap<number, number>): boolean {
    for (const [partition, { nextOffset }] of this.#partitions) {
      if (nextOffset < (ends.get(partition) ?? 0)) return false;
    }
    return true;
  }

  move(partition: number, nextOffset: number): void {
    const progress = this.#partitions.get(partition);
    if (progress) progress.nextOffset = nextOffset;
  }

  clear(): void {
    this.#partitions.clear();
  }

  /** Checks the offset that was asked for, and of a partition's first fetch its first batch too. */
  fitOf({ partition, fetchedOffset, batches }: Fetched): Fit {
    const progress = this.#partitions.get(partition);
    if (!progress) return "not started";
    const { unseen } = progress;
    if (fetchedOffset !== (unseen?.lastOffset ?? progress.nextOffset)) return "elsewhere";
    if (unseen && !isMarked(batches[0], unseen)) return "other log";
    progress.unseen = null;
    return "fits";
  }

  /** Takes the log for the one that was counted, although its last batch is not as it was. */
  acceptLog(partition: number): void {
    const progress = this.#partitions.get(partition);
    if (progress) progress.unseen = null;
  }
}

function isMarked(batch: LogBatch | undefined, { lastOffset, crc }: BatchMark): boolean {
  return batch !== undefined && batch.nextOffset - 1 === lastOffset && batch.crc === crc;
}

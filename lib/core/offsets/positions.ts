/**
 * Where a worker stands in each of its partitions, and whether what was read fits there.
 *
 * An offset means something only in the log that it was counted in. So reading
 * goes on at the last batch that was counted, which must still be there with its
 * checksum: then the log is the same, also if it was made anew with more records.
 * @module
 */

import type { Fetched, LogBatch } from "../records/log_batch.ts";
import type { BatchMark } from "../windowing/pending.ts";
import type { LogRange } from "./log_range.ts";

/** Where a partition stands. */
export interface Position {
  readonly nextOffset: number;
  /** The last batch that was counted, or null if none was, or none that could be told apart. */
  readonly lastBatch: BatchMark | null;
}

/** A partition's stored position, and what its log holds. */
export interface Placement {
  readonly partition: number;
  readonly position: Position;
  readonly range: LogRange;
}

/** How a fetch fits: only one that `fits` may be counted. */
export type Fit = "fits" | "elsewhere" | "other log" | "not placed";

interface Standing {
  nextOffset: number;
  /** The batch that the next fetch has to begin with, until it was seen. */
  unseen: BatchMark | null;
}

export class Positions {
  readonly #standings = new Map<number, Standing>();

  /**
   * Takes a stored position.
   * @returns the offset to read from: that of the last counted batch, if the log still has it and
   * it lies before the position, which somebody may have set back by hand.
   */
  place({ partition, position: { nextOffset, lastBatch }, range }: Placement): number {
    const isThere = lastBatch !== null && lastBatch.lastOffset >= range.startOffset &&
      lastBatch.lastOffset < nextOffset;
    const unseen = isThere ? lastBatch : null;
    this.#standings.set(partition, { nextOffset, unseen });
    return unseen?.lastOffset ?? nextOffset;
  }

  /** Next offset to count, or undefined before the partition was placed. */
  get(partition: number): number | undefined {
    return this.#standings.get(partition)?.nextOffset;
  }

  /** Next offset to count of every partition that was placed. */
  all(): Map<number, number> {
    return new Map(Array.from(this.#standings, ([id, { nextOffset }]) => [id, nextOffset]));
  }

  /** True if every partition stands at its end or behind it; one without an end does. */
  reach(ends: ReadonlyMap<number, number>): boolean {
    for (const [partition, { nextOffset }] of this.#standings) {
      if (nextOffset < (ends.get(partition) ?? 0)) return false;
    }
    return true;
  }

  move(partition: number, nextOffset: number): void {
    const standing = this.#standings.get(partition);
    if (standing) standing.nextOffset = nextOffset;
  }

  clear(): void {
    this.#standings.clear();
  }

  /** Judges a fetch by the offset that it was asked for, and the first one by its first batch too. */
  judge({ partition, fetchedOffset, batches }: Fetched): Fit {
    const standing = this.#standings.get(partition);
    if (!standing) return "not placed";
    const { unseen } = standing;
    if (fetchedOffset !== (unseen?.lastOffset ?? standing.nextOffset)) return "elsewhere";
    if (unseen && !isMarked(batches[0], unseen)) return "other log";
    standing.unseen = null;
    return "fits";
  }

  /** Takes the log for the one that was counted, although its last batch is not as it was. */
  trust(partition: number): void {
    const standing = this.#standings.get(partition);
    if (standing) standing.unseen = null;
  }
}

function isMarked(batch: LogBatch | undefined, { lastOffset, crc }: BatchMark): boolean {
  return batch !== undefined && batch.nextOffset - 1 === lastOffset && batch.crc === crc;
}

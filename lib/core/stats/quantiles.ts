/**
 * Quantiles of what was measured lately, to one per cent, in little memory: a
 * histogram with buckets that grow by a factor (as in DDSketch, Masson et al. 2019)
 * for each of a few slots of time. The clock is the caller's.
 * @module
 */

/** Values of one bucket differ by at most this factor, so its middle is off by half of it. */
const GROWTH = 1.02;
const SLOTS = 12;

interface Slot {
  readonly index: number;
  readonly buckets: Map<number, number>;
}

export class RollingQuantiles {
  readonly #slotMs: number;
  #slots: Slot[] = [];

  /** @param keptMs how far back it looks, within a twelfth. */
  constructor(keptMs: number) {
    this.#slotMs = keptMs / SLOTS;
  }

  /** Takes a value; those below 1 count as 1. */
  add(value: number, nowMs: number): void {
    const bucket = Math.ceil(Math.log(Math.max(1, value)) / Math.log(GROWTH));
    const { buckets } = this.#slotOf(nowMs);
    buckets.set(bucket, (buckets.get(bucket) ?? 0) + 1);
  }

  /** The value that a share `q` of all are below or at; null if there was none lately. */
  quantile(q: number, nowMs: number): number | null {
    this.#forget(nowMs);
    const merged = new Map<number, number>();
    let total = 0;
    for (const { buckets } of this.#slots) {
      for (const [bucket, count] of buckets) {
        merged.set(bucket, (merged.get(bucket) ?? 0) + count);
        total += count;
      }
    }
    let left = Math.max(1, Math.ceil(q * total));
    for (const [bucket, count] of [...merged].sort(([a], [b]) => a - b)) {
      left -= count;
      if (left <= 0) return middle(bucket);
    }
    return null;
  }

  #slotOf(nowMs: number): Slot {
    this.#forget(nowMs);
    const index = Math.floor(nowMs / this.#slotMs);
    const newest = this.#slots.at(-1);
    if (newest && newest.index >= index) return newest;
    const slot = { index, buckets: new Map<number, number>() };
    this.#slots.push(slot);
    return slot;
  }

  #forget(nowMs: number): void {
    const oldest = Math.floor(nowMs / this.#slotMs) - SLOTS;
    this.#slots = this.#slots.filter(({ index }) => index > oldest);
  }
}

/** Of the values `(GROWTH^(bucket − 1), GROWTH^bucket]` the one with the least relative error. */
function middle(bucket: number): number {
  return bucket <= 0 ? 1 : 2 * GROWTH ** bucket / (1 + GROWTH);
}

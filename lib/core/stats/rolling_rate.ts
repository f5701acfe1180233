/**
 * How fast a total grows that is sampled irregularly. The clock is the caller's.
 * @module
 */

interface Sample {
  readonly total: number;
  readonly atMs: number;
}

/** The rate over the last time or a little more: from the last sample before it to the newest. */
export class RollingRate {
  readonly #keptMs: number;
  #samples: Sample[] = [];

  constructor(keptMs: number) {
    this.#keptMs = keptMs;
  }

  /** A total that has fallen, or a gap without samples, starts over. */
  add(total: number, atMs: number): void {
    const newest = this.#samples.at(-1);
    if (newest && (total < newest.total || atMs - newest.atMs > 2 * this.#keptMs)) {
      this.#samples = [];
    }
    this.#samples.push({ total, atMs });
    const first = this.#samples.findLastIndex((sample) => atMs - sample.atMs >= this.#keptMs);
    this.#samples.splice(0, Math.max(0, first));
  }

  /** Growth per second, or null before the second sample. */
  get perSecond(): number | null {
    const [first, newest] = [this.#samples[0], this.#samples.at(-1)];
    if (!first || !newest || newest.atMs <= first.atMs) return null;
    return (newest.total - first.total) * 1000 / (newest.atMs - first.atMs);
  }
}

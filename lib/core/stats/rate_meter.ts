/**
 * How many there were per second lately.
 * @module
 */

interface Bucket {
  readonly second: number;
  count: number;
}

/** Counts the last seconds; times are milliseconds of any clock that does not go back. */
export class RateMeter {
  readonly #spanSeconds: number;
  /** Seconds in which there was something, oldest first. */
  #buckets: Bucket[] = [];
  #startedSecond: number | null = null;

  /** @param spanSeconds how many seconds, besides the one under way, are looked at. */
  constructor(spanSeconds: number) {
    this.#spanSeconds = spanSeconds;
  }

  add(count: number, nowMs: number): void {
    const second = Math.floor(nowMs / 1000);
    this.#startedSecond ??= second;
    const last = this.#buckets.at(-1);
    if (last?.second === second) last.count += count;
    else this.#buckets.push({ second, count });
    this.#forget(second);
  }

  /** Per second, over the whole seconds since the first one, but not longer than the span. In the first one, what there was so far. */
  perSecond(nowMs: number): number {
    if (this.#startedSecond === null) return 0;
    const second = Math.floor(nowMs / 1000);
    this.#forget(second);
    const isFirst = second === this.#startedSecond;
    const sum = this.#buckets.reduce((sum, { second: at, count }) => {
      return at < second || isFirst ? sum + count : sum;
    }, 0);
    return sum / Math.max(1, Math.min(this.#spanSeconds, second - this.#startedSecond));
  }

  #forget(second: number): void {
    this.#buckets = this.#buckets.filter(({ second: at }) => at >= second - this.#spanSeconds);
  }
}

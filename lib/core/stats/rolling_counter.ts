/**
 * How much has happened in each of the last seconds. The clock is the caller's.
 * @module
 */

/** Counts of whole seconds, as far back as asked for. */
export class RollingCounter {
  /** A slot per second, and one for the second that is not over. */
  readonly #slots: Float64Array;
  /** Newest second that has a slot. */
  #second = 0;
  #firstSecond: number | null = null;

  /** @param seconds how many whole seconds are kept. */
  constructor(seconds: number) {
    this.#slots = new Float64Array(seconds + 1);
  }

  add(count: number, nowMs: number): void {
    this.#moveTo(nowMs);
    this.#firstSecond ??= this.#second;
    this.#slots[this.#second % this.#slots.length]! += count;
  }

  /** Counts of the whole seconds before `nowMs`, the oldest first. */
  counts(nowMs: number): number[] {
    this.#moveTo(nowMs);
    const { length } = this.#slots;
    return Array.from(
      { length: length - 1 },
      (_, at) => this.#slots[(this.#second + 1 + at) % length]!,
    );
  }

  /** Over the whole seconds since the first one, at most `seconds`; in the first one, what there was so far. */
  perSecond(seconds: number, nowMs: number): number {
    const counts = this.counts(nowMs);
    if (this.#firstSecond === null) return 0;
    const passed = this.#second - this.#firstSecond;
    if (passed === 0) return this.#slots[this.#second % this.#slots.length]!;
    const counted = Math.min(seconds, passed);
    return counts.slice(-counted).reduce((sum, count) => sum + count, 0) / counted;
  }

  /** Forgets the seconds that are too old. A clock that was set back counts into the newest second. */
  #moveTo(nowMs: number): void {
    const second = Math.floor(nowMs / 1000);
    const { length } = this.#slots;
    if (second - this.#second >= length) {
      this.#slots.fill(0);
      this.#second = second;
    }
    while (this.#second < second) this.#slots[++this.#second % length] = 0;
  }
}

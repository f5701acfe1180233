/**
 * When pending counts are committed, and how many may be pending: fewer after a commit that was too
 * much for the sink, and more again as commits succeed.
 * @module
 */

/** Pending bytes that are committed at once, whatever their age. */
const LARGE_BYTES = 1 << 20;
/** Pending bytes at which reading pauses; fewer while the sink is too slow. */
export const FULL_BYTES = 4 << 20;
export const LEAST_FULL_BYTES = 64 << 10;
const SHRINK_BY = 4;
const GROW_BY = 1.25;
/** Pause after a commit that was too slow for the sink. */
const TOO_SLOW_DELAY_MS = 1_000;

export interface PendingSize {
  /** Time since the first of it was counted. */
  readonly ageMs: number;
  readonly bytes: number;
  readonly isAwaited: boolean;
}

export class CommitPolicy {
  readonly #intervalMs: number;
  #fullBytes = FULL_BYTES;

  /** @param commitIntervalMs age at which pending counts are committed. */
  constructor({ commitIntervalMs }: { readonly commitIntervalMs: number }) {
    this.#intervalMs = commitIntervalMs;
  }

  /** Pending bytes at which reading pauses. */
  get fullBytes(): number {
    return this.#fullBytes;
  }

  hasRoom(bytes: number): boolean {
    return bytes < this.#fullBytes;
  }

  /** Milliseconds until a commit is due; 0 if it is due now. */
  dueInMs({ ageMs, bytes, isAwaited }: PendingSize): number {
    const isLarge = bytes >= Math.min(LARGE_BYTES, this.#fullBytes);
    return isAwaited || isLarge ? 0 : Math.max(0, this.#intervalMs - ageMs);
  }

  succeeded(): void {
    this.#fullBytes = Math.min(FULL_BYTES, this.#fullBytes * GROW_BY);
  }

  /** A commit of this size took too long. @returns milliseconds to wait before the next. */
  tooSlow(bytes: number): number {
    const fullBytes = Math.min(bytes, this.#fullBytes) / SHRINK_BY;
    this.#fullBytes = Math.max(LEAST_FULL_BYTES, fullBytes);
    return TOO_SLOW_DELAY_MS;
  }
}

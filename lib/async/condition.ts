/**
 * Waiting for a state of affairs, without polling.
 * @module
 */

export interface UntilOptions {
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A condition variable: waiters check their predicate again whenever someone calls `notify`. */
export class Condition {
  #waiting = new Set<() => void>();
  #notified = 0;

  notify(): void {
    this.#notified++;
    const waiting = this.#waiting;
    this.#waiting = new Set();
    for (const wake of waiting) wake();
  }

  /** Resolves at the next `notify`, on timeout, or when the signal aborts. */
  async next(options: UntilOptions = {}): Promise<void> {
    const before = this.#notified;
    await this.until(() => this.#notified !== before, options);
  }

  /** Resolves to true once the predicate holds; to false on timeout or when the signal aborts. */
  async until(
    predicate: () => boolean,
    { timeoutMs, signal }: UntilOptions = {},
  ): Promise<boolean> {
    if (predicate()) return true;
    let isOver = signal?.aborted ?? false;
    let wake = () => {};
    const end = () => {
      isOver = true;
      this.#waiting.delete(wake);
      wake();
    };
    const timer = timeoutMs === undefined ? undefined : setTimeout(end, timeoutMs);
    signal?.addEventListener("abort", end, { once: true });
    try {
      while (!isOver) {
        await new Promise<void>((resolve) => this.#waiting.add(wake = resolve));
        if (predicate()) return true;
      }
      return false;
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener("abort", end);
    }
  }
}

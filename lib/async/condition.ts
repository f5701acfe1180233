/**
 * Waiting until something is so, without polling.
 * @module
 */

export interface UntilOptions {
  /** Longest wait. */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A condition variable: one side waits until a statement is true, others `notify` when it may have become so. */
export class Condition {
  #waiting = new Set<() => void>();
  #notified = 0;

  /** Makes all who wait look again. */
  notify(): void {
    this.#notified++;
    const waiting = this.#waiting;
    this.#waiting = new Set();
    for (const wake of waiting) wake();
  }

  /** Resolves at the next `notify`, when the time is over or when the signal aborts. */
  async next(options: UntilOptions = {}): Promise<void> {
    const before = this.#notified;
    await this.until(() => this.#notified !== before, options);
  }

  /** Resolves to true once `isSo()`; to false if the time is over or the signal aborts before. */
  async until(isSo: () => boolean, { timeoutMs, signal }: UntilOptions = {}): Promise<boolean> {
    if (isSo()) return true;
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
        if (isSo()) return true;
      }
      return false;
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener("abort", end);
    }
  }
}

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

  /** Makes all who wait look again. */
  notify(): void {
    const waiting = this.#waiting;
    this.#waiting = new Set();
    for (const wake of waiting) wake();
  }

  /** Resolves at the next `notify`, when the time is over or when the signal aborts. */
  async next(options: UntilOptions = {}): Promise<void> {
    let isNotified = false;
    this.#waiting.add(() => isNotified = true);
    await this.until(() => isNotified, options);
  }

  /** Resolves to true once `isSo()`; to false if the time is over or the signal aborts before. */
  async until(isSo: () => boolean, { timeoutMs, signal }: UntilOptions = {}): Promise<boolean> {
    if (isSo()) return true;
    let isOver = signal?.aborted ?? false;
    const end = () => {
      isOver = true;
      this.notify();
    };
    const timer = timeoutMs === undefined ? undefined : setTimeout(end, timeoutMs);
    signal?.addEventListener("abort", end, { once: true });
    try {
      while (!isOver) {
        await new Promise<void>((wake) => this.#waiting.add(wake));
        if (isSo()) return true;
      }
      return false;
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener("abort", end);
    }
  }
}

/** Resolves after `ms`, or at once when the signal aborts. */
export async function pause(ms: number, signal?: AbortSignal): Promise<void> {
  await new Condition().until(() => false, { timeoutMs: ms, signal });
}

/** Resolves when `settling` is settled, well or not, or after `ms`. */
export async function atMost(ms: number, settling: Promise<unknown>): Promise<void> {
  const settled = new AbortController();
  const settle = () => settled.abort();
  settling.then(settle, settle);
  await pause(ms, settled.signal);
}

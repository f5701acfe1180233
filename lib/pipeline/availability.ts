/**
 * Requests to systems that may be down.
 * @module
 */

import type { BackoffOptions } from "../async/backoff.ts";
import { retry } from "../async/retry.ts";
import { isPassing } from "../core/failure.ts";
import type { PipelineObserver, System } from "./observer.ts";
import { FencedError } from "./sink.ts";

export type Retry = <T>(system: System, question: () => Promise<T>) => Promise<T>;

const BACKOFF: BackoffOptions = { firstMs: 100, maxMs: 5_000 };

/** Retries until a system answers, and knows which systems are down meanwhile. */
export class Availability {
  readonly #observer: Pick<PipelineObserver, "failed" | "answered">;
  readonly #away = new Set<System>();

  constructor(observer: Pick<PipelineObserver, "failed" | "answered">) {
    this.#observer = observer;
  }

  /** The system's last answer was a transient failure. */
  isAway(system: System): boolean {
    return this.#away.has(system);
  }

  /**
   * The system's answer, after as many attempts as it takes.
   * @throws its failure, if that requires an operator or the signal has aborted.
   */
  async retry<T>(system: System, operation: () => Promise<T>, signal: AbortSignal): Promise<T> {
    try {
      const answer = await retry(operation, {
        ...BACKOFF,
        signal,
        onFailure: (error) => {
          this.#away.add(system);
          this.#observer.failed(system, error);
        },
      });
      this.#away.delete(system);
      this.#observer.answered(system);
      return answer;
    } catch (error) {
      // Nothing waits for this promise any more: it only had to reject.
      if (!isPassing(error)) this.#away.delete(system);
      if (error instanceof FencedError) this.#observer.answered(system);
      throw error;
    }
  }
}

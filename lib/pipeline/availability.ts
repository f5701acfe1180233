/**
 * Questions to systems that may be away.
 * @module
 */

import type { BackoffOptions } from "../async/backoff.ts";
import { retry } from "../async/retry.ts";
import { isPassing } from "../core/failure.ts";
import type { PipelineObserver, System } from "./observer.ts";
import { FencedError } from "./sink.ts";

const BACKOFF: BackoffOptions = { firstMs: 100, maxMs: 5_000 };

/** Asks until there is an answer, and knows which systems are away meanwhile. */
export class Availability {
  readonly #observer: Pick<PipelineObserver, "failed" | "answered">;
  readonly #away = new Set<System>();

  constructor(observer: Pick<PipelineObserver, "failed" | "answered">) {
    this.#observer = observer;
  }

  /** The system's last answer was a failure that passes. */
  isAway(system: System): boolean {
    return this.#away.has(system);
  }

  /**
   * The system's answer, for as many tries as it takes.
   * @throws what it answered, if that needs a person or the signal has aborted.
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
      // Nobody waits for it any more: it was there to refuse.
      if (!isPassing(error)) this.#away.delete(system);
      if (error instanceof FencedError) this.#observer.answered(system);
      throw error;
    }
  }
}

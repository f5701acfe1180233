/**
 * Whether a worker is ready: joined to its group, and the database answered last time and takes
 * what it commits.
 * @module
 */

import type { FencedError, PipelineObserver, System } from "../endpoints.ts";

export class Health implements Partial<PipelineObserver> {
  /** What has not answered yet, or not last time. */
  readonly #down = new Set<System>(["sink", "group"]);
  #isStuck = false;

  /** Null when ready, else why not. A worker without partitions is ready too: it stands by. */
  get problem(): string | null {
    if (this.#down.has("sink") || this.#down.has("looks")) return "PostgreSQL does not answer";
    if (this.#isStuck) return "PostgreSQL refuses every commit";
    if (this.#down.has("group")) return "not joined to the consumer group";
    return null;
  }

  committed(): void {
    this.#isStuck = false;
  }

  fenced({ isStuck }: FencedError): void {
    this.#isStuck = isStuck;
  }

  failed(system: System): void {
    this.#down.add(system);
  }

  answered(system: System): void {
    this.#down.delete(system);
  }
}

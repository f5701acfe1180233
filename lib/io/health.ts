/**
 * Whether a worker is ready: joined to its group, the database answered last time and takes what it
 * commits, and no partition is left that nobody counts.
 * @module
 */

import type { LastingGap } from "../core/coverage_watch.ts";
import type { CoverageObserver, FencedError, PipelineObserver, System } from "../endpoints.ts";

export class Health implements Partial<PipelineObserver & CoverageObserver> {
  /** What has not answered yet, or not last time. */
  readonly #down = new Set<System>(["sink", "group"]);
  #isStuck = false;

  #uncounted: readonly string[] = [];

  /** Null when ready, else why not. A worker without partitions is ready too: it stands by. */
  get problem(): string | null {
    if (this.#down.has("sink") || this.#down.has("looks")) return "PostgreSQL does not answer";
    if (this.#isStuck) return "PostgreSQL refuses every commit";
    if (this.#down.has("group")) return "not joined to the consumer group";
    return this.#uncounted.length === 0 ? null : this.#uncounted.join("\n");
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

  /** Every worker is not ready then: a rollout that brings half a pipeline has to stop. */
  uncounted(_: readonly LastingGap[], problems: readonly string[]): void {
    this.#uncounted = problems;
  }
}

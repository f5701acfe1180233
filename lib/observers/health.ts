/**
 * Whether a worker is ready: joined to its group, the database answered last time and takes what it
 * commits, and no partition is left that nobody counts.
 * @module
 */

import type { LastingGap } from "../core/offsets/lasting_gaps.ts";
import { unavailableText } from "../core/offsets/partition_names.ts";
import type { CoverageObserver, PipelineObserver, System } from "../pipeline/observer.ts";
import type { FencedError } from "../pipeline/sink.ts";

/** How long a joined worker may look at the log in vain. */
const VAIN_LOOKS_MS = 5_000;

export class Health implements Partial<PipelineObserver & CoverageObserver> {
  readonly #now: () => number;
  /** Whether each system answered last time; those that were not asked yet are not in it. */
  readonly #answers = new Map<System, boolean>();
  /** Since when the log is looked at in vain, in milliseconds by the clock given; null while it is not. */
  #vainSinceMs: number | null = null;
  #isStuck = false;
  #unavailable: ReadonlyMap<number, string> = new Map();
  #uncounted: readonly string[] = [];

  constructor({ now = () => performance.now() }: { readonly now?: () => number } = {}) {
    this.#now = now;
  }

  /** Null when ready, else why not. A worker without partitions is ready too: it stands by. */
  get problem(): string | null {
    const [sink, looks, group, source] = (["commit", "query", "group", "source"] as const)
      .map((system) => this.#answers.get(system));
    if (sink === false || looks === false) return "PostgreSQL does not answer";
    if (this.#isStuck) return "PostgreSQL refuses every commit";
    if (source === false && (!group || this.#vainMs >= VAIN_LOOKS_MS)) {
      return "Kafka does not answer";
    }
    if (!group) return "not joined to the consumer group";
    if (sink === undefined) return "PostgreSQL was not asked yet";
    const own = this.#unavailable.size > 0
      ? [`not reading ${unavailableText(this.#unavailable)}`]
      : [];
    const problems = [...own, ...this.#uncounted];
    return problems.length === 0 ? null : problems.join("\n");
  }

  assigned(): void {
    this.#isStuck = false; // another worker may have what it was stuck with
  }

  committed(): void {
    this.#isStuck = false;
  }

  fenced({ isStuck }: FencedError): void {
    this.#isStuck = isStuck;
  }

  failed(system: System): void {
    this.#answers.set(system, false);
    if (system === "source") this.#vainSinceMs ??= this.#now();
  }

  answered(system: System): void {
    this.#answers.set(system, true);
    if (system === "source") this.#vainSinceMs = null;
  }

  unavailable(partitions: ReadonlyMap<number, string>): void {
    this.#unavailable = partitions;
  }

  /** Every worker is not ready then: a rollout that brings half a pipeline has to stop. */
  uncounted(_: readonly LastingGap[], problems: readonly string[]): void {
    this.#uncounted = problems;
  }

  get #vainMs(): number {
    return this.#vainSinceMs === null ? 0 : this.#now() - this.#vainSinceMs;
  }
}

/**
 * Whether a worker is ready: joined to its group, and the database answered last time.
 * @module
 */

import { unavailableText } from "../core/log_range.ts";
import type { PipelineObserver, System } from "../endpoints.ts";

export class Health implements Partial<PipelineObserver> {
  /** Whether each system answered last time; those that were not asked yet are not in it. */
  readonly #answers = new Map<System, boolean>();
  #unavailable: ReadonlyMap<number, string> = new Map();

  /** Null when ready, else why not. A worker without partitions is ready too: it stands by. */
  get problem(): string | null {
    const [sink, looks, group, source] = (["sink", "looks", "group", "source"] as const)
      .map((system) => this.#answers.get(system));
    if (sink === false || looks === false) return "PostgreSQL does not answer";
    // Once it is joined, the group alone tells: a look at the log that failed is another matter.
    if (group === undefined && source === false) return "Kafka does not answer";
    if (!group) return "not joined to the consumer group";
    if (sink === undefined) return "PostgreSQL was not asked yet";
    if (this.#unavailable.size > 0) return `not reading ${unavailableText(this.#unavailable)}`;
    return null;
  }

  failed(system: System): void {
    this.#answers.set(system, false);
  }

  answered(system: System): void {
    this.#answers.set(system, true);
  }

  unavailable(partitions: ReadonlyMap<number, string>): void {
    this.#unavailable = partitions;
  }
}

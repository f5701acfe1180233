/**
 * Whether a worker is ready: joined to its group, and the database answered last time.
 * @module
 */

import { unavailableText } from "../core/log_range.ts";
import { type PipelineObserver, type System, systemName } from "../endpoints.ts";

export class Health implements Partial<PipelineObserver> {
  /** Whether each system answered last time; those that were not asked yet are not in it. */
  readonly #answers = new Map<System, boolean>();
  #unavailable: ReadonlyMap<number, string> = new Map();

  /** Null when ready, else why not. A worker without partitions is ready too: it stands by. */
  get problem(): string | null {
    for (const [system, answers] of this.#answers) {
      if (!answers) return `${systemName(system)} does not answer`;
    }
    if (this.#unavailable.size > 0) return `not reading ${unavailableText(this.#unavailable)}`;
    if (!this.#answers.has("group")) return "not joined to the consumer group yet";
    if (!this.#answers.has("sink")) return "PostgreSQL was not asked yet";
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

/**
 * Whether a worker is ready: joined to its group, and the database answered last time.
 * @module
 */

import type { PipelineObserver, System } from "../endpoints.ts";

export class Health implements Partial<PipelineObserver> {
  #isJoined = false;
  #isSinkUp = false;

  /** Null when ready, else why not. */
  get problem(): string | null {
    if (!this.#isSinkUp) return "PostgreSQL does not answer";
    if (!this.#isJoined) return "not joined to the consumer group";
    return null;
  }

  failed(system: System): void {
    this.#set(system, false);
  }

  answered(system: System): void {
    this.#set(system, true);
  }

  /** A worker without partitions is ready too: it stands by. */
  #set(system: System, isUp: boolean): void {
    if (system === "sink") this.#isSinkUp = isUp;
    if (system === "group") this.#isJoined = isUp;
  }
}

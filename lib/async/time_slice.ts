/**
 * Sharing the only thread between long work and everything else.
 * @module
 */

import { setImmediate } from "node:timers";

/** How long work may keep the thread. */
const TIME_SLICE_MS = 1;

/** Counting would keep the thread from receiving the next records if it never yielded. */
export class TimeSlice {
  #endsAt = 0;

  /** Resolves at once within the slice; else after everything that waits has run, with a new slice. */
  async yield(): Promise<void> {
    if (performance.now() < this.#endsAt) return;
    await new Promise((resolve) => setImmediate(resolve));
    this.#endsAt = performance.now() + TIME_SLICE_MS;
  }
}

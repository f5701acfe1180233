/**
 * Long work on the only thread, in turns with everything else.
 * @module
 */

import { setImmediate } from "node:timers";

/** How long work may go on before the thread does something else. */
const TIME_SLICE_MS = 1;

/** Counting leaves the thread no time to receive the next records, unless it is given some. */
export class TimeSlice {
  #endsAt = 0;

  /** Resolves at once while the turn lasts; else when all that waited has had its own, which begins another. */
  async yield(): Promise<void> {
    if (performance.now() < this.#endsAt) return;
    await new Promise((resolve) => setImmediate(resolve));
    this.#endsAt = performance.now() + TIME_SLICE_MS;
  }
}

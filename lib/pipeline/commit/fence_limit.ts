/**
 * How long commits may be fenced in a row although nothing stored has moved. A fence that another
 * worker or retention explains does not count: the next commit knows what they did.
 * @module
 */

import { backoffMs, type BackoffOptions } from "../../async/backoff.ts";

/** How many fences in a row are accepted, and for how long. */
export interface FenceLimits {
  /** Fences without a delay; those after them are slowed down. */
  readonly tolerated: number;
  readonly backoff: BackoffOptions;
  /** After this many fences it is time to stop, but not before `mostMs` have passed. */
  readonly most: number;
  readonly mostMs: number;
}

export const FENCE_LIMITS: FenceLimits = {
  tolerated: 2,
  backoff: { firstMs: 500, maxMs: 15_000 },
  most: 10,
  mostMs: 60_000,
};

/** What to do after a fence: wait (0: not at all) and try again, or stop. */
export type FenceVerdict = { readonly delayMs: number } | "stop";

/** Counts the fences since something moved. */
export class FenceLimit {
  readonly #limits: FenceLimits;
  #stored = "";
  #inARow = 0;
  #sinceMs = 0;

  constructor(limits: FenceLimits = FENCE_LIMITS) {
    this.#limits = limits;
  }

  /** Takes what is stored now, such as offsets: if it differs from before, something has moved. */
  observe(stored: string): void {
    if (stored !== this.#stored) this.moved();
    this.#stored = stored;
  }

  /** Something has moved, for example because a commit was stored. */
  moved(): void {
    this.#inARow = 0;
  }

  /** @param random in [0, 1). */
  fenced(nowMs: number, random: number): FenceVerdict {
    const { tolerated, backoff, most, mostMs } = this.#limits;
    if (this.#inARow++ === 0) this.#sinceMs = nowMs;
    if (this.#inARow >= most && nowMs - this.#sinceMs >= mostMs) return "stop";
    const slowed = this.#inARow - tolerated;
    return { delayMs: slowed > 0 ? backoffMs(slowed - 1, { ...backoff, random }) : 0 };
  }
}

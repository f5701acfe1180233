/**
 * How long commits may be fenced in a row although nothing stored has moved. A fence that another
 * worker or retention explains does not count: the next commit knows what they did.
 * @module
 */

import { backoffMs, type BackoffOptions } from "../../async/backoff.ts";

export interface FenceLimits {
  /** Fences without a delay; the next ones are slowed down. */
  readonly tolerated: number;
  readonly backoff: BackoffOptions;
  /** After this many fences it is time to stop, but not before `minMs` have passed. */
  readonly maxFences: number;
  readonly minMs: number;
}

export const FENCE_LIMITS: FenceLimits = {
  tolerated: 2,
  backoff: { firstMs: 500, maxMs: 15_000 },
  maxFences: 10,
  minMs: 60_000,
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
    const { tolerated, backoff, maxFences, minMs } = this.#limits;
    if (this.#inARow++ === 0) this.#sinceMs = nowMs;
    if (this.#inARow >= maxFences && nowMs - this.#sinceMs >= minMs) return "stop";
    const slowed = this.#inARow - tolerated;
    return { delayMs: slowed > 0 ? backoffMs(slowed - 1, { ...backoff, random }) : 0 };
  }
}

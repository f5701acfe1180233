/**
 * How long commits may be fenced in a row although nothing moves what is stored. A fence that
 * another worker or retention explains is none of these: the next commit knows what they did.
 * @module
 */

import { backoffMs, type BackoffOptions } from "./backoff.ts";

/** How often, and how long. */
export interface FenceLimits {
  /** Fences that are taken as they come; those after them are slowed down. */
  readonly tolerated: number;
  readonly backoff: BackoffOptions;
  /** It is over after so many, but not before so much time has passed. */
  readonly most: number;
  readonly mostMs: number;
}

export const FENCE_LIMITS: FenceLimits = {
  tolerated: 2,
  backoff: { firstMs: 500, maxMs: 15_000 },
  most: 10,
  mostMs: 60_000,
};

/** What to do after a fence: wait for so long, 0 if it is none to speak of; or no more. */
export type FenceVerdict = { readonly delayMs: number } | "stop";

/** Counts fences since something has moved. */
export class FenceLimit {
  readonly #limits: FenceLimits;
  #stored = "";
  #inARow = 0;
  #sinceMs = 0;

  constructor(limits: FenceLimits = FENCE_LIMITS) {
    this.#limits = limits;
  }

  /** Takes what is stored now, offsets above all: if it is not as before, somebody has moved it. */
  look(stored: string): void {
    if (stored !== this.#stored) this.moved();
    this.#stored = stored;
  }

  /** Something has moved, as by a commit of ours. */
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

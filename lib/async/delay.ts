/**
 * Waits that end early.
 * @module
 */

import { Condition } from "./condition.ts";

/** Resolves after `ms`, or at once when the signal aborts. */
export async function delay(ms: number, signal?: AbortSignal): Promise<void> {
  await new Condition().until(() => false, { timeoutMs: ms, signal });
}

/** Resolves when `settling` has settled, either way, or after `ms`. */
export async function withTimeout(ms: number, settling: Promise<unknown>): Promise<void> {
  const settled = new AbortController();
  const settle = () => settled.abort();
  settling.then(settle, settle);
  await delay(ms, settled.signal);
}

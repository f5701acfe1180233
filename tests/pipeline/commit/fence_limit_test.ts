import assert from "node:assert/strict";
import { FENCE_LIMITS, FenceLimit } from "../../../lib/pipeline/commit/fence_limit.ts";

/** Fences one after the other, each waited for, until it says to stop. @returns the waits. */
function fenceUntilStop(limit: FenceLimit): number[] {
  const delays: number[] = [];
  for (let nowMs = 0;;) {
    const verdict = limit.fenced(nowMs, 0.5);
    if (verdict === "stop") return delays;
    delays.push(verdict.delayMs);
    nowMs += verdict.delayMs + 250;
  }
}

Deno.test("FenceLimit takes two fences as they come, slows down those after them, and stops after a minute", () => {
  const delays = fenceUntilStop(new FenceLimit());
  assert.deepEqual(delays.slice(0, 6), [0, 0, 375, 750, 1_500, 3_000]);
  assert.ok(delays.length >= FENCE_LIMITS.maxFences - 1);
  assert.ok(delays.every((delay) => delay <= FENCE_LIMITS.backoff.maxMs));
  const totalMs = delays.reduce((sum, delay) => sum + delay + 250, 0);
  assert.ok(totalMs >= FENCE_LIMITS.minMs && totalMs < 2 * FENCE_LIMITS.minMs, `${totalMs} ms`);
});

Deno.test("FenceLimit does not stop before its time, however many fences there are", () => {
  const limit = new FenceLimit();
  for (let n = 0; n < 1_000; n++) assert.notEqual(limit.fenced(59_999, 0), "stop");
});

Deno.test("FenceLimit begins from the start once something has moved", () => {
  const limit = new FenceLimit();
  const isTolerated = () => (limit.fenced(0, 0.5) as { delayMs: number }).delayMs === 0;
  limit.observe("0:5");
  assert.deepEqual([isTolerated(), isTolerated(), isTolerated()], [true, true, false]);
  limit.observe("0:5");
  assert.equal(isTolerated(), false, "nothing has moved");
  limit.observe("0:6");
  assert.deepEqual([isTolerated(), isTolerated(), isTolerated()], [true, true, false]);
  limit.moved();
  assert.equal(isTolerated(), true);
});

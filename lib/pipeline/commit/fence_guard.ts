/**
 * Ends a series of fences: those that repeat although nothing has moved are slowed down and
 * marked as stuck, and require operator action after a while.
 * @module
 */

import { delay } from "../../async/delay.ts";
import { OperatorError } from "../../core/failure.ts";
import type { Position } from "../../core/offsets/positions.ts";
import type { Commit } from "../../core/windowing/pending.ts";
import { FencedError, type Sink } from "../sink.ts";
import { FENCE_LIMITS, FenceLimit, type FenceLimits } from "./fence_limit.ts";

export class FenceGuard implements Sink {
  readonly #sink: Sink;
  readonly #limit: FenceLimit;
  #positions: ReadonlyMap<number, Position> = new Map();

  constructor(sink: Sink, limits: FenceLimits = FENCE_LIMITS) {
    this.#sink = sink;
    this.#limit = new FenceLimit(limits);
  }

  async positions(logStarts: ReadonlyMap<number, number>): Promise<ReadonlyMap<number, Position>> {
    return this.#positions = await this.#sink.positions(logStarts);
  }

  async horizon(): Promise<number> {
    const horizonMs = await this.#sink.horizon();
    const offsets = Array.from(this.#positions, ([id, { nextOffset }]) => `${id}:${nextOffset}`);
    this.#limit.observe([horizonMs, ...offsets].join(" "));
    return horizonMs;
  }

  async commit(commit: Commit): Promise<void> {
    try {
      await this.#sink.commit(commit);
      this.#limit.moved();
    } catch (error) {
      if (!(error instanceof FencedError)) throw error;
      const verdict = this.#limit.fenced(performance.now(), Math.random());
      if (verdict === "stop") throw stuck(error);
      if (verdict.delayMs === 0) throw error;
      await delay(verdict.delayMs);
      throw new FencedError(error.message, { cause: error, isStuck: true });
    }
  }

  advanceWatermark(partitionCount: number): Promise<number | null> {
    return this.#sink.advanceWatermark(partitionCount);
  }
}

function stuck(error: FencedError): OperatorError {
  return new OperatorError(
    "Cannot continue: the database refuses every commit as if another worker had committed first, " +
      "although none has. Check for a trigger or policy that was added, and for other " +
      "tables with the same names; then start again",
    { cause: error },
  );
}

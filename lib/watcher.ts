/**
 * A look now and then at the whole: lag, ends of partitions, whether the source
 * stands still, and the watermark.
 * @module
 */

import { LagWatch } from "./core/lag_watch.ts";
import type { Ledger } from "./core/ledger.ts";
import type { LogRange } from "./core/log_range.ts";
import type { PipelineObserver, Sink, Source } from "./endpoints.ts";
import { type Ask, isLossAccepted } from "./locate.ts";

/** What is looked at, and who is told. */
export interface WatcherOptions {
  readonly source: Source;
  readonly sink: Sink;
  readonly observer: PipelineObserver;
  readonly ledger: Ledger;
  readonly onDataLoss: "fail" | "continue";
  readonly stallMs: number;
}

/** What a look has shown: the watermark, or that the partitions have to be placed anew. */
export type Sight = { readonly watermarkMs: number | null } | "place anew";

/** Looks at one pipeline. */
export class Watcher {
  readonly #options: WatcherOptions;
  readonly #lagWatch: LagWatch;

  constructor(options: WatcherOptions) {
    this.#options = options;
    this.#lagWatch = new LagWatch(options);
  }

  /** There is a reason for standing still. */
  reset(): void {
    this.#lagWatch.reset();
  }

  /**
   * Looks once.
   * @param hasRoom false if reading waits for us, so that standing still is no fault of the source.
   * @throws {OperatorError} if a partition does not stand within its log any more.
   */
  async look(ask: Ask, hasRoom: () => boolean): Promise<Sight> {
    const { source, sink, observer, ledger, onDataLoss } = this.#options;
    const before = ledger.positions();
    const ranges = await ask("source", () => source.logRanges());
    observer.ranges(ranges);
    const positions = movedOn(before, { now: ledger.positions(), ranges });
    for (const [partition, position] of positions) {
      const range = ranges.get(partition);
      if (isLossAccepted(position, { range, onDataLoss })) return "place anew";
    }
    const { lags, stalled } = this.#lagWatch.look(positions, { ranges, nowMs: performance.now() });
    for (const [partition, lag] of lags) {
      if (lag === 0) ledger.noteEnd(partition, positions.get(partition)!);
    }
    observer.lag(lags);
    if (!hasRoom()) {
      this.reset();
    } else if (stalled.length > 0) {
      this.reset();
      observer.stalled(stalled);
      source.renew();
    }
    const watermarkMs = await ask("sink", () => sink.advanceWatermark(ranges.size));
    observer.watermark(watermarkMs);
    return { watermarkMs };
  }
}

/**
 * Positions to judge by ranges that were asked for when they were `before`: those of now,
 * but not beyond an end that was read when they were not there yet.
 */
function movedOn(
  before: ReadonlyMap<number, number>,
  { now, ranges }: {
    readonly now: ReadonlyMap<number, number>;
    readonly ranges: ReadonlyMap<number, LogRange>;
  },
): Map<number, number> {
  return new Map(
    Array.from(now).flatMap(([partition, position]) => {
      const earlier = before.get(partition);
      if (earlier === undefined) return [];
      const end = ranges.get(partition)?.endOffset ?? position;
      return [[partition, Math.max(earlier, Math.min(position, end))]];
    }),
  );
}

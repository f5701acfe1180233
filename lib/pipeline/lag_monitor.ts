/**
 * A look now and then at the whole: lag, ends of partitions, whether the source
 * stands still, and the watermark.
 * @module
 */

import { withTimeout } from "../async/delay.ts";
import type { Ledger } from "../core/offsets/ledger.ts";
import type { LogRange, LogView } from "../core/offsets/log_range.ts";
import { StallDetector } from "../core/offsets/stall_detector.ts";
import { assertKept } from "./compaction.ts";
import type { PipelineObserver } from "./observer.ts";
import type { Sink } from "./sink.ts";
import type { Source } from "./source.ts";
import { isLossAccepted, type Retry, unavailableOf } from "./start_offsets.ts";

/** How long one look waits for the watermark. */
const MAX_WAIT_MS = 2_000;
/** Looks from one question for the log's compaction to the next: it hardly ever changes. */
const LOOKS_PER_QUESTION = 12;

/** What is looked at, and who is told. */
export interface LagMonitorOptions {
  readonly source: Source;
  readonly sink: Sink;
  readonly observer: PipelineObserver;
  readonly ledger: Ledger;
  /** Our partitions, placed or not. */
  readonly assigned: () => readonly number[];
  readonly onDataLoss: "fail" | "continue";
  readonly stallMs: number;
}

/** What a look has shown: the watermark, or that the partitions have to be placed anew. */
export type LagReading = { readonly watermarkMs: number | null } | "place anew";

/** Looks at one pipeline. */
export class LagMonitor {
  readonly #options: LagMonitorOptions;
  readonly #stallDetector: StallDetector;
  /** The question for the watermark that is under way. */
  #asking: Promise<void> | null = null;
  #watermarkMs: number | null = null;
  #looks = 0;
  /** What the source has told of it. */
  #throttledMs = 0;

  constructor(options: LagMonitorOptions) {
    this.#options = options;
    this.#stallDetector = new StallDetector(options);
  }

  /** There is a reason for standing still. */
  reset(): void {
    this.#stallDetector.reset();
  }

  /**
   * Looks once.
   * @param hasRoom false if reading waits for us, so that standing still is no fault of the source.
   * @throws {OperatorError} if a partition does not stand within its log any more, or the log is
   * compacted now.
   */
  async look(retry: Retry, hasRoom: () => boolean): Promise<LagReading> {
    const { source, observer, ledger, assigned, onDataLoss } = this.#options;
    if (++this.#looks % LOOKS_PER_QUESTION === 0) await assertKept(this.#options, retry);
    const before = ledger.positions();
    const view = await retry("source", () => source.viewLog());
    const { ranges, unavailable } = view;
    observer.ranges(ranges);
    observer.unavailable(unavailableOf(assigned(), view));
    this.#tellThrottled();
    const now = ledger.positions();
    const positions = movedOn(before, { now, view });
    if (!hasRoom()) {
      // Nothing is judged: what is pending may stand for records that Kafka has deleted since.
      this.reset();
      observer.lag(lagsOf(positions, ranges));
    } else {
      const isBack = (partition: number) => ranges.has(partition) && !now.has(partition);
      if (assigned().some(isBack)) return "place anew";
      for (const [partition, position] of positions) {
        const range = ranges.get(partition);
        if (isLossAccepted(position, { range, onDataLoss })) return "place anew";
      }
      const { lags, stalled } = this.#stallDetector.look(positions, {
        ranges,
        signsOfLife: source.signsOfLife,
        nowMs: performance.now(),
      });
      for (const [partition, lag] of lags) {
        if (lag === 0) ledger.noteEnd(partition, positions.get(partition)!);
      }
      observer.lag(lags);
      if (stalled.length > 0) {
        this.reset();
        observer.stalled(stalled);
        source.renew();
      }
    }
    await this.#advanceWatermark(retry, ranges.size + unavailable.size);
    return { watermarkMs: this.#watermarkMs };
  }

  #tellThrottled(): void {
    const { source: { throttledMs }, observer } = this.#options;
    if (throttledMs > this.#throttledMs) observer.throttled(throttledMs - this.#throttledMs);
    this.#throttledMs = throttledMs;
  }

  /** Does not wait long for a sink that is away: the lag has to be seen then, too. */
  async #advanceWatermark(retry: Retry, partitions: number): Promise<void> {
    const { sink, observer } = this.#options;
    this.#asking ??= retry("query", () => sink.advanceWatermark(partitions))
      .then((watermarkMs) => {
        this.#watermarkMs = watermarkMs;
        observer.watermark(watermarkMs);
      })
      .finally(() => this.#asking = null);
    const asking = this.#asking;
    await withTimeout(MAX_WAIT_MS, asking);
    if (this.#asking === null) await asking; // throws what it was answered
  }
}

/** Records behind each position, whether or not the position is within its log. */
function lagsOf(
  positions: ReadonlyMap<number, number>,
  ranges: ReadonlyMap<number, LogRange>,
): Map<number, number> {
  return new Map(Array.from(positions, ([partition, position]) => {
    const end = ranges.get(partition)?.endOffset ?? position;
    return [partition, Math.max(0, end - position)];
  }));
}

/**
 * Positions to judge by a view that was asked for when they were `before`: those of now,
 * but not beyond an end that was read when they were not there yet.
 */
function movedOn(
  before: ReadonlyMap<number, number>,
  { now, view: { ranges, unavailable } }: {
    readonly now: ReadonlyMap<number, number>;
    readonly view: LogView;
  },
): Map<number, number> {
  return new Map(
    Array.from(now).flatMap(([partition, position]) => {
      const earlier = before.get(partition);
      if (earlier === undefined || unavailable.has(partition)) return [];
      const end = ranges.get(partition)?.endOffset ?? position;
      return [[partition, Math.max(earlier, Math.min(position, end))]];
    }),
  );
}

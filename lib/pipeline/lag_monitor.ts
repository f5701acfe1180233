/**
 * Periodic checks of a pipeline: its lag, the ends of its partitions, whether the source
 * stalls, and the watermark.
 * @module
 */

import { withTimeout } from "../async/delay.ts";
import type { Ledger } from "../core/offsets/ledger.ts";
import type { LogRange, LogView } from "../core/offsets/log_range.ts";
import { StallDetector } from "../core/offsets/stall_detector.ts";
import type { Retry } from "./availability.ts";
import { assertKept } from "./compaction.ts";
import type { PipelineObserver } from "./observer.ts";
import type { Assignment } from "./pipeline_state.ts";
import type { Sink } from "./sink.ts";
import type { Source } from "./source.ts";
import { isLossAccepted, unavailableOf } from "./start_offsets.ts";

/** How long one check waits for the watermark. */
const MAX_WAIT_MS = 2_000;
/** Compaction hardly ever changes: every nth check includes it. */
const CHECKS_PER_COMPACTION_CHECK = 12;

export interface LagMonitorOptions {
  readonly source: Source;
  readonly sink: Sink;
  readonly observer: PipelineObserver;
  readonly ledger: Ledger;
  /** Our partitions, started or not. */
  readonly assignment: () => Assignment;
  readonly onDataLoss: "fail" | "continue";
  readonly stallMs: number;
}

/** What a check has shown: the watermark, or that the partitions have to be started over. */
export type LagReading = { readonly watermarkMs: number | null } | "start over";

export class LagMonitor {
  readonly #options: LagMonitorOptions;
  readonly #stallDetector: StallDetector;
  /** The request for the watermark that is under way. */
  #advancing: Promise<void> | null = null;
  #watermarkMs: number | null = null;
  #checks = 0;
  /** Its positions are those that the stall detector has seen. */
  #assignment: Assignment | null = null;
  #throttledMs = 0;

  constructor(options: LagMonitorOptions) {
    this.#options = options;
    this.#stallDetector = new StallDetector(options);
  }

  /**
   * @param hasRoom false if reading waits for us, so that a stall is no fault of the source.
   * @throws {OperatorError} if a position is not within its log any more, or the log is compacted now.
   */
  async check(retry: Retry, hasRoom: () => boolean): Promise<LagReading> {
    const { source, observer, ledger } = this.#options;
    if (++this.#checks % CHECKS_PER_COMPACTION_CHECK === 0) await assertKept(this.#options, retry);
    const before = ledger.positions();
    const view = await retry("source", () => source.viewLog());
    const { ranges, unavailable } = view;
    observer.ranges(ranges);
    observer.unavailable(unavailableOf(this.#options.assignment().partitions, view));
    this.#reportThrottled();
    const now = ledger.positions();
    const positions = movedOn(before, { now, view });
    if (!hasRoom()) {
      // Positions are not checked: what is pending may be of records that Kafka has deleted since.
      this.#stallDetector.reset();
      observer.lag(lagsOf(positions, ranges));
    } else if (this.#hasToStartOver(positions, { now, ranges })) {
      return "start over";
    } else {
      this.#checkPositions(positions, ranges);
    }
    await this.#advanceWatermark(retry, ranges.size + unavailable.size);
    return { watermarkMs: this.#watermarkMs };
  }

  /** True if a partition can be read again, or has lost records that it may lose. */
  #hasToStartOver(
    positions: ReadonlyMap<number, number>,
    { now, ranges }: {
      readonly now: ReadonlyMap<number, number>;
      readonly ranges: ReadonlyMap<number, LogRange>;
    },
  ): boolean {
    const { assignment, onDataLoss } = this.#options;
    return assignment().partitions.some((id) => ranges.has(id) && !now.has(id)) ||
      positions.entries().some(([partition, position]) =>
        isLossAccepted(position, { range: ranges.get(partition), onDataLoss })
      );
  }

  #checkPositions(
    positions: ReadonlyMap<number, number>,
    ranges: ReadonlyMap<number, LogRange>,
  ): void {
    const { source, observer, ledger, assignment } = this.#options;
    if (assignment() !== this.#assignment) this.#stallDetector.reset();
    this.#assignment = assignment();
    const { lags, stalled } = this.#stallDetector.check(positions, {
      ranges,
      signsOfLife: source.signsOfLife,
      nowMs: performance.now(),
    });
    for (const [partition, lag] of lags) {
      if (lag === 0) ledger.noteEnd(partition, positions.get(partition)!);
    }
    observer.lag(lags);
    if (stalled.length === 0) return;
    this.#stallDetector.reset();
    observer.stalled(stalled);
    source.renew();
  }

  #reportThrottled(): void {
    const { source: { throttledMs }, observer } = this.#options;
    if (throttledMs > this.#throttledMs) observer.throttled(throttledMs - this.#throttledMs);
    this.#throttledMs = throttledMs;
  }

  /** Does not wait long for a sink that is away: the lag is reported then, too. */
  async #advanceWatermark(retry: Retry, partitions: number): Promise<void> {
    const { sink, observer } = this.#options;
    this.#advancing ??= retry("query", () => sink.advanceWatermark(partitions))
      .then((watermarkMs) => {
        this.#watermarkMs = watermarkMs;
        observer.watermark(watermarkMs);
      })
      .finally(() => this.#advancing = null);
    const advancing = this.#advancing;
    await withTimeout(MAX_WAIT_MS, advancing);
    if (this.#advancing === null) await advancing; // throws its failure
  }
}

/** Records behind each position, whether or not Kafka still has them. */
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
 * Positions to compare with a view that was requested when they were `before`: those of now,
 * but not beyond an end that was read before they were there.
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

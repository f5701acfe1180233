/**
 * The loop between a source and a sink: counts what was read, and commits the
 * counts together with the offsets they stand for.
 *
 * Positions are only ever taken from the sink, and only while no commit is under
 * way: after a rebalance, and after a commit that was fenced. All that is pending
 * is dropped before (see `core/ledger.ts`).
 * @module
 */

import { isPassing } from "./core/failure.ts";
import { LagWatch } from "./core/lag_watch.ts";
import { Ledger } from "./core/ledger.ts";
import { lagWithin, type LogRange, OtherLogError } from "./core/log_range.ts";
import type { PendingOptions } from "./core/pending.ts";
import type { Fetched } from "./core/record_batch.ts";
import type { Placement } from "./core/standings.ts";
import { closedUpTo } from "./core/watermark.ts";
import { Condition, pause } from "./condition.ts";
import {
  FencedError,
  type PipelineObserver,
  type Sink,
  type Source,
  type SourceReader,
  type System,
} from "./endpoints.ts";
import { Outages } from "./outages.ts";
import { storing } from "./storing.ts";
import { together } from "./together.ts";

/** What a pipeline connects, and how it behaves. */
export interface PipelineOptions extends PendingOptions {
  readonly source: Source;
  readonly sink: Sink;
  readonly observer: PipelineObserver;
  readonly graceMs: number;
  /** Age at which pending counts are committed. */
  readonly commitIntervalMs: number;
  /** What to do when Kafka has deleted records before they were read: stop, or go on behind them. */
  readonly onDataLoss: "fail" | "continue";
  /** How long the source may stand still, with something to read, before it is told to connect anew. */
  readonly stallMs: number;
  /** How long the last commit may take after the end was asked for. */
  readonly stopTimeoutMs: number;
}

/** Pending counts that are committed at once, whatever their age. */
const LARGE_BYTES = 2 << 20;
/** Pending counts with which reading stops. */
const FULL_BYTES = 8 << 20;
/** How often lag and watermark are looked at. */
const WATCH_INTERVAL_MS = 5_000;

/** Partitions that the source gave us; another object, even with the same ones, starts over. */
interface Assignment {
  readonly partitions: readonly number[];
}

/** Counts what one source reads into one sink. */
export class Pipeline implements SourceReader {
  readonly #options: PipelineOptions;
  readonly #ledger: Ledger;
  readonly #lagWatch: LagWatch;
  readonly #outages: Outages;
  /** Notified whenever something below changes. */
  readonly #changed = new Condition();
  #assignment: Assignment = { partitions: [] };
  /** The assignment whose positions the ledger has. */
  #placed: Assignment = this.#assignment;
  #pendingSince: number | null = null;
  #isCommitting = false;
  #closedUpToMs = -Infinity;
  /** Aborts when the end was asked for. */
  #stopping = new AbortController().signal;
  /** Aborts when the last commit has taken too long. */
  readonly #abandon = new AbortController();

  constructor(options: PipelineOptions) {
    this.#options = options;
    this.#ledger = new Ledger(options);
    this.#lagWatch = new LagWatch(options);
    this.#outages = new Outages(options.observer);
  }

  /**
   * Runs until the signal aborts or the source ends; then commits what is pending.
   * @throws the failure that stopped it, if a person is needed. What was pending is not committed then.
   */
  async run(signal: AbortSignal): Promise<void> {
    const ended = new AbortController();
    const stopping = this.#stopping = AbortSignal.any([signal, ended.signal]);
    let deadline: ReturnType<typeof setTimeout> | undefined;
    stopping.addEventListener("abort", () => {
      deadline = setTimeout(() => this.#abandon.abort(), this.#options.stopTimeoutMs);
    }, { once: true });
    const loops = [
      this.#options.source.read(this, stopping),
      this.#placeLoop(),
      this.#commitLoop(),
      this.#watchLoop(),
    ];
    try {
      await together(loops, { ended, stopping });
      if (!this.#ledger.isEmpty) await this.#commit();
    } finally {
      clearTimeout(deadline);
    }
  }

  assigned(partitions: readonly number[]): void {
    this.#options.observer.answered("group");
    this.#options.observer.assigned(partitions);
    this.#startOver(partitions);
  }

  async fetched(fetched: Fetched): Promise<void> {
    switch (this.#ledger.take(fetched, this.#closedUpToMs)) {
      case "fits":
        this.#ledgerChanged();
        break;
      case "elsewhere": // the log may have moved away under us: the place loop looks
        this.#startOver(this.#assignment.partitions);
        break;
      case "other log":
        await this.#trustCompacted(fetched.partition);
        break;
      case "not placed": // what was on its way before a rebalance
    }
    await this.#changed.until(() => this.#hasRoom(), { signal: this.#stopping });
  }

  /** A connection of the source is lost; it comes back by itself, with a new assignment. */
  interrupted(error: unknown): void {
    this.#options.observer.failed("group", error);
  }

  /**
   * The last counted batch is not as it was: compaction may have rewritten it.
   * @throws {OtherLogError} if it has not.
   */
  async #trustCompacted(partition: number): Promise<void> {
    const { source } = this.#options;
    const assignment = this.#assignment;
    if (!await this.#ask("source", () => source.isCompacted())) {
      throw new OtherLogError(partition, "the last record batch that was counted is not there");
    }
    if (assignment !== this.#assignment) return;
    const position = this.#ledger.trust(partition);
    if (position !== undefined) source.resume(new Map([[partition, position]]));
  }

  #ledgerChanged(): void {
    if (!this.#ledger.isEmpty) this.#pendingSince ??= performance.now();
    this.#changed.notify();
  }

  #startOver(partitions: readonly number[]): void {
    this.#ledger.drop();
    this.#lagWatch.reset();
    this.#pendingSince = null;
    this.#assignment = { partitions };
    this.#changed.notify();
  }

  #hasRoom(): boolean {
    return this.#assignment === this.#placed && !this.#outages.isAway("sink") &&
      this.#ledger.pendingBytes < FULL_BYTES;
  }

  /** Places each new assignment, once the commit under way is settled. */
  async #placeLoop(): Promise<void> {
    const isDue = () => this.#assignment !== this.#placed && !this.#isCommitting;
    while (await this.#changed.until(isDue, { signal: this.#stopping })) {
      const assignment = this.#assignment;
      const placements = await this.#locate(assignment.partitions);
      if (assignment !== this.#assignment) continue;
      this.#placed = assignment;
      this.#options.source.resume(this.#ledger.place(placements));
      this.#options.observer.positioned(this.#ledger.positions());
      this.#ledgerChanged();
    }
  }

  /** Where the sink has each partition, and what its log holds. */
  async #locate(partitions: readonly number[]): Promise<Placement[]> {
    if (partitions.length === 0) return [];
    const { source, sink } = this.#options;
    const askRanges = () => this.#ask("source", () => source.logRanges(partitions));
    const starts = new Map(Array.from(await askRanges(), ([id, range]) => [id, range.startOffset]));
    const positions = await this.#ask("sink", () => sink.positions(starts));
    // Read again: the log may have grown, and been counted elsewhere, since the first look.
    const ranges = await askRanges();
    return Array.from(positions, ([partition, position]) => {
      const range = ranges.get(partition);
      if (!range) throw new OtherLogError(partition, "the topic does not have it any more");
      if (!this.#isLossAccepted(position.nextOffset, range)) {
        lagWithin({ partition, position: position.nextOffset }, range);
      }
      return { partition, position, range };
    });
  }

  #isLossAccepted(position: number, range: LogRange | undefined): boolean {
    return this.#options.onDataLoss === "continue" && range !== undefined &&
      position < range.startOffset;
  }

  /** Commits when the pending counts are old or large enough. */
  async #commitLoop(): Promise<void> {
    const isPending = () => this.#pendingSince !== null;
    while (await this.#changed.until(isPending, { signal: this.#stopping })) {
      const ageMs = performance.now() - (this.#pendingSince ?? 0);
      await this.#changed.until(() => this.#ledger.pendingBytes >= LARGE_BYTES, {
        timeoutMs: Math.max(0, this.#options.commitIntervalMs - ageMs),
        signal: this.#stopping,
      });
      if (this.#stopping.aborted) return;
      if (!this.#ledger.isEmpty) await this.#commit();
    }
  }

  async #commit(): Promise<void> {
    const { observer, sink, source } = this.#options;
    const commit = this.#ledger.drain();
    this.#pendingSince = null;
    this.#isCommitting = true;
    this.#changed.notify();
    const startedAt = performance.now();
    try {
      await this.#ask("sink", storing(commit, sink), this.#abandon.signal);
      observer.committed(commit, (performance.now() - startedAt) / 1000);
      source.acknowledge(
        new Map(commit.partitions.map(({ partition, nextOffset }) => [partition, nextOffset])),
      );
    } catch (error) {
      if (error instanceof FencedError) observer.fenced(error);
      else if (isPassing(error)) observer.abandoned(error);
      else throw error;
      this.#startOver(this.#assignment.partitions);
    } finally {
      this.#isCommitting = false;
      this.#changed.notify();
    }
  }

  /** Looks at lag and watermark, and notes partitions that have been read to their end. */
  async #watchLoop(): Promise<void> {
    for (;;) {
      await pause(WATCH_INTERVAL_MS, this.#stopping);
      if (this.#stopping.aborted) return;
      await this.#watch();
    }
  }

  async #watch(): Promise<void> {
    const { source, sink, observer, graceMs, windowMs } = this.#options;
    const positions = this.#ledger.positions();
    const ranges = await this.#ask("source", () => source.logRanges());
    for (const [partition, position] of positions) {
      if (this.#isLossAccepted(position, ranges.get(partition))) {
        return this.#startOver(this.#assignment.partitions);
      }
    }
    const { lags, stalled } = this.#lagWatch.look(positions, { ranges, nowMs: performance.now() });
    for (const [partition, lag] of lags) {
      if (lag === 0) this.#ledger.noteEnd(partition, positions.get(partition)!);
    }
    this.#ledgerChanged();
    observer.lag(lags);
    if (!this.#hasRoom()) {
      this.#lagWatch.reset(); // it stands still because of us
    } else if (stalled.length > 0) {
      this.#lagWatch.reset();
      observer.stalled(stalled);
      source.renew();
    }
    const watermarkMs = await this.#ask("sink", () => sink.advanceWatermark(ranges.size));
    this.#closedUpToMs = closedUpTo(watermarkMs, { sizeMs: windowMs, graceMs });
    observer.watermark(watermarkMs);
  }

  async #ask<T>(
    system: System,
    question: () => Promise<T>,
    signal: AbortSignal = this.#stopping,
  ): Promise<T> {
    const answer = await this.#outages.ask(system, question, signal);
    this.#changed.notify();
    return answer;
  }
}

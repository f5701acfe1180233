/**
 * The loop between a source and a sink: counts what was read, and commits the
 * counts together with the offsets they stand for.
 *
 * Exactly once rests on one invariant: what is pending for a partition are the
 * counts of exactly the records between the offset that the sink has stored and
 * `#positions`. So pending counts and positions are dropped together, positions
 * are only ever taken from the sink while no commit is under way, and a batch
 * counts only if it was fetched at the position.
 * @module
 */

import { isPassing } from "./core/failure.ts";
import { lagWithin } from "./core/log_range.ts";
import { Pending } from "./core/pending.ts";
import type { EventParser } from "./core/event.ts";
import { closedUpTo } from "./core/watermark.ts";
import { Condition, pause } from "./condition.ts";
import {
  FencedError,
  type Fetched,
  type PipelineObserver,
  type Sink,
  type Source,
  type SourceReader,
  type System,
} from "./endpoints.ts";
import { retry } from "./retry.ts";
import { storing } from "./storing.ts";

export interface PipelineOptions {
  readonly source: Source;
  readonly sink: Sink;
  readonly observer: PipelineObserver;
  readonly parser: EventParser;
  readonly windowMs: number;
  readonly graceMs: number;
  /** Age at which pending counts are committed. */
  readonly commitIntervalMs: number;
}

/** Pending counts that are committed at once, whatever their age. */
const LARGE_BYTES = 2 << 20;
/** Pending counts with which reading stops. */
const FULL_BYTES = 8 << 20;
/** How often lag and watermark are looked at. */
const WATCH_INTERVAL_MS = 5_000;
/** How long the last commit may take after the end was asked for. */
const LAST_COMMIT_MS = 5_000;
const BACKOFF = { firstMs: 100, maxMs: 5_000 };

/** Partitions that the source gave us; another object, even with the same ones, starts over. */
interface Assignment {
  readonly partitions: readonly number[];
}

export class Pipeline implements SourceReader {
  readonly #options: PipelineOptions;
  readonly #pending: Pending;
  /** Notified whenever something below changes. */
  readonly #changed = new Condition();
  #assignment: Assignment = { partitions: [] };
  #positioned: Assignment = this.#assignment;
  /** Next offset to count, per partition that has been positioned. */
  readonly #positions = new Map<number, number>();
  #pendingSince: number | null = null;
  #isCommitting = false;
  /** Systems whose last answer was a failure that passes. */
  readonly #away = new Set<System>();
  #closedUpToMs = -Infinity;
  /** Aborts when the end was asked for. */
  #stopping = new AbortController().signal;
  /** Aborts when the last commit has taken too long. */
  readonly #abandon = new AbortController();

  constructor(options: PipelineOptions) {
    this.#options = options;
    this.#pending = new Pending(options);
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
      deadline = setTimeout(() => this.#abandon.abort(), LAST_COMMIT_MS);
    }, { once: true });
    const loops = [
      this.#options.source.read(this, stopping),
      this.#positionLoop(),
      this.#commitLoop(),
      this.#watchLoop(),
    ];
    let failure: { readonly error: unknown } | undefined;
    const settled = loops.map((loop) =>
      loop.catch((error) => {
        // A question that was given up because the end was asked for is no failure.
        if (!stopping.aborted || !isPassing(error)) failure ??= { error };
      }).finally(() => ended.abort())
    );
    try {
      await Promise.all(settled);
      if (failure) throw failure.error;
      if (!this.#pending.isEmpty) await this.#commit();
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
    const position = this.#positions.get(fetched.partition);
    if (position === fetched.fetchedOffset) {
      this.#count(fetched);
    } else if (position !== undefined) {
      // Not read where we stand: the log may have moved away under us. The position loop looks.
      this.#startOver(this.#assignment.partitions);
    }
    await this.#changed.until(() => this.#hasRoom(), { signal: this.#stopping });
  }

  /** A connection of the source is lost; it comes back by itself, with a new assignment. */
  interrupted(error: unknown): void {
    this.#options.observer.failed("group", error);
  }

  #count({ partition, fetchedOffset, nextOffset, endOffset, batches }: Fetched): void {
    let from = fetchedOffset;
    try {
      for (const batch of batches) {
        from = this.#pending.count(batch, { partition, from, closedUpToMs: this.#closedUpToMs });
      }
    } catch (error) {
      this.#drop(); // half a batch is counted, which no offset stands for
      throw error;
    }
    this.#advance(partition, { from, nextOffset, caughtUp: nextOffset === endOffset });
  }

  #advance(
    partition: number,
    { from, nextOffset, caughtUp }: {
      readonly from: number;
      readonly nextOffset: number;
      readonly caughtUp: boolean;
    },
  ): void {
    this.#pending.advance({ partition, from, nextOffset, caughtUp });
    this.#positions.set(partition, nextOffset);
    this.#pendingSince ??= performance.now();
    this.#changed.notify();
  }

  #startOver(partitions: readonly number[]): void {
    this.#drop();
    this.#assignment = { partitions };
    this.#changed.notify();
  }

  #drop(): void {
    this.#pending.clear();
    this.#pendingSince = null;
    this.#positions.clear();
  }

  #hasRoom(): boolean {
    return this.#assignment === this.#positioned && !this.#away.has("sink") &&
      this.#pending.bytes < FULL_BYTES;
  }

  /** Positions each new assignment, once the commit under way is settled. */
  async #positionLoop(): Promise<void> {
    const isDue = () => this.#assignment !== this.#positioned && !this.#isCommitting;
    while (await this.#changed.until(isDue, { signal: this.#stopping })) {
      const assignment = this.#assignment;
      const positions = await this.#locate(assignment.partitions, this.#stopping);
      if (assignment !== this.#assignment) continue;
      this.#positioned = assignment;
      for (const [partition, position] of positions) this.#positions.set(partition, position);
      this.#options.source.resume(positions);
      this.#options.observer.positioned(positions);
      this.#changed.notify();
    }
  }

  async #locate(
    partitions: readonly number[],
    signal: AbortSignal,
  ): Promise<ReadonlyMap<number, number>> {
    if (partitions.length === 0) return new Map();
    const { source, sink } = this.#options;
    const ranges = await this.#ask("source", () => source.logRanges(partitions), signal);
    const starts = new Map(Array.from(ranges, ([id, { startOffset }]) => [id, startOffset]));
    const positions = await this.#ask("sink", () => sink.positions(starts), signal);
    // Read again: the log may have grown, and been counted elsewhere, since the first look.
    const rangesNow = await this.#ask("source", () => source.logRanges(partitions), signal);
    for (const [partition, position] of positions) {
      lagWithin(partition, position, rangesNow.get(partition));
    }
    return positions;
  }

  /** Commits when the pending counts are old or large enough. */
  async #commitLoop(): Promise<void> {
    const { commitIntervalMs } = this.#options;
    while (
      await this.#changed.until(() => this.#pendingSince !== null, { signal: this.#stopping })
    ) {
      const age = performance.now() - (this.#pendingSince ?? 0);
      await this.#changed.until(() => this.#pending.bytes >= LARGE_BYTES, {
        timeoutMs: Math.max(0, commitIntervalMs - age),
        signal: this.#stopping,
      });
      if (this.#stopping.aborted) return;
      if (!this.#pending.isEmpty) await this.#commit();
    }
  }

  async #commit(): Promise<void> {
    const { observer, sink, source } = this.#options;
    const commit = this.#pending.drain();
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
      await this.#watch(this.#stopping);
    }
  }

  async #watch(signal: AbortSignal): Promise<void> {
    const { source, sink, observer, graceMs, windowMs } = this.#options;
    const positions = new Map(this.#positions);
    const ranges = await this.#ask("source", () => source.logRanges(), signal);
    const lags = new Map<number, number>();
    for (const [partition, position] of positions) {
      const lag = lagWithin(partition, position, ranges.get(partition));
      lags.set(partition, lag);
      if (lag === 0 && this.#positions.get(partition) === position) {
        this.#advance(partition, { from: position, nextOffset: position, caughtUp: true });
      }
    }
    observer.lag(lags);
    const watermarkMs = await this.#ask("sink", () => sink.advanceWatermark(ranges.size), signal);
    this.#closedUpToMs = closedUpTo(watermarkMs, { sizeMs: windowMs, graceMs });
    observer.watermark(watermarkMs);
  }

  async #ask<T>(system: System, action: () => Promise<T>, signal: AbortSignal): Promise<T> {
    const { observer } = this.#options;
    const answer = await retry(action, {
      ...BACKOFF,
      signal,
      onFailure: (error) => {
        this.#away.add(system);
        observer.failed(system, error);
      },
    });
    this.#away.delete(system);
    this.#changed.notify();
    observer.answered(system);
    return answer;
  }
}

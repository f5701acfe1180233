/**
 * The loop between a source and a sink: counts what was read, and commits the
 * counts together with the offsets they stand for.
 *
 * Positions and the horizon are only ever taken from the sink, and only while no
 * commit is under way: after a rebalance, and after a commit that was fenced. All that
 * is pending is dropped before (see `core/ledger.ts`).
 * @module
 */

import { Condition } from "../async/condition.ts";
import { delay } from "../async/delay.ts";
import { runTaskGroup } from "../async/task_group.ts";
import { TimeSlice } from "../async/time_slice.ts";
import { isPassing } from "../core/failure.ts";
import { Ledger } from "../core/offsets/ledger.ts";
import type { Fetched } from "../core/records/log_batch.ts";
import { inPartition, UnreadableBatchError } from "../core/records/unreadable_batch.ts";
import type { PendingOptions } from "../core/windowing/pending.ts";
import { closedUpTo } from "../core/windowing/watermark.ts";
import { Availability } from "./availability.ts";
import { commitOnce } from "./commit_once.ts";
import { assertRewritten } from "./compaction.ts";
import { LagMonitor } from "./lag_monitor.ts";
import type { PipelineObserver, System } from "./observer.ts";
import { CommitTooSlowError, FencedError, type Sink } from "./sink.ts";
import type { Source, SourceReader } from "./source.ts";
import { type Retry, startOffsets } from "./start_offsets.ts";

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
  /** Ends that somebody waits for: once all our partitions stand there, what is pending is committed at once. */
  readonly awaitedEnds?: ReadonlyMap<number, number> | undefined;
}

/** Pending counts that are committed at once, whatever their age. */
const LARGE_BYTES = 1 << 20;
/** Pending counts with which reading stops; less while the sink is too slow for so much at once. */
const FULL_BYTES = 4 << 20;
const LEAST_FULL_BYTES = 64 << 10;
/** How long a sink that is too slow is left alone. */
const TOO_SLOW_PAUSE_MS = 1_000;
/** How often lag and watermark are looked at. */
const CHECK_INTERVAL_MS = 5_000;

/** Partitions that the source gave us; another object, even with the same ones, starts over. */
interface Assignment {
  readonly partitions: readonly number[];
}

/** Counts what one source reads into one sink. */
export class Pipeline implements SourceReader {
  readonly #options: PipelineOptions;
  readonly #ledger: Ledger;
  readonly #lagMonitor: LagMonitor;
  readonly #availability: Availability;
  /** Notified whenever something below changes. */
  readonly #changed = new Condition();
  #assignment: Assignment = { partitions: [] };
  /** The assignment whose positions the ledger has. */
  #placed: Assignment = this.#assignment;
  #pendingSince: number | null = null;
  #isCommitting = false;
  #isAwaited = false;
  #closedUpToMs = -Infinity;
  #horizonMs = -Infinity;
  #fullBytes = FULL_BYTES;
  readonly #timeSlice = new TimeSlice();
  /** Aborts when the end was asked for. */
  #stopping = new AbortController().signal;
  /** Aborts when the last commit has taken too long. */
  readonly #abandon = new AbortController();

  constructor(options: PipelineOptions) {
    this.#options = options;
    this.#ledger = new Ledger(options);
    const assigned = () => this.#assignment.partitions;
    this.#lagMonitor = new LagMonitor({ ...options, ledger: this.#ledger, assigned });
    this.#availability = new Availability(options.observer);
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
      this.#monitorLoop(),
    ];
    try {
      await runTaskGroup(loops, { ended, stopping });
      if (!this.#ledger.isEmpty) await this.#commit();
      await this.#closeWindows();
    } finally {
      clearTimeout(deadline);
    }
  }

  /** Nobody may look after it at the ends that were waited for: what is complete there is closed now. */
  async #closeWindows(): Promise<void> {
    const { awaitedEnds, sink } = this.#options;
    if (!awaitedEnds) return;
    try {
      const advance = () => sink.advanceWatermark(awaitedEnds.size);
      await this.#retryUntil("query", advance, this.#abandon.signal);
    } catch (error) {
      if (!isPassing(error)) throw error; // the next run closes them
    }
  }

  assigned(partitions: readonly number[]): void {
    this.#options.observer.answered("group");
    this.#options.observer.assigned(partitions);
    this.#startOver(partitions);
  }

  async fetched(fetched: Fetched): Promise<void> {
    switch (this.#ledger.judge(fetched)) {
      case "fits":
        await this.#count(fetched);
        break;
      case "elsewhere": // the log may have moved away under us: the place loop looks
        this.#startOver(this.#assignment.partitions);
        break;
      case "other log":
        await this.#trustCompacted(fetched.partition);
        break;
      case "not placed": // what was on its way before a rebalance
    }
    await this.#room();
  }

  async #count(fetched: Fetched): Promise<void> {
    const assignment = this.#assignment;
    try {
      await this.#countPieces(fetched, assignment);
    } catch (error) {
      if (!(error instanceof UnreadableBatchError)) throw error;
      if (assignment !== this.#assignment) return;
      await this.#stopBefore(error, fetched.partition);
    }
  }

  /** Piece by piece: a fetch can be a thousand times as large as its bytes on the wire. */
  async #countPieces(fetched: Fetched, assignment: Assignment): Promise<void> {
    const { partition, batches } = fetched;
    for (const batch of batches) {
      if (this.#ledger.hasCounted(batch, partition)) continue;
      for await (const piece of batch.pieces()) {
        if (assignment !== this.#assignment) return; // while it was decompressed
        this.#ledger.count(piece, {
          partition,
          closedUpToMs: this.#closedUpToMs,
          horizonMs: this.#horizonMs,
        });
        this.#ledgerChanged();
        await this.#timeSlice.yield();
        if (!await this.#room() || assignment !== this.#assignment) return;
      }
    }
    if (assignment !== this.#assignment) return;
    this.#ledger.finish(fetched);
    const { awaitedEnds } = this.#options;
    this.#isAwaited = awaitedEnds !== undefined && this.#ledger.reaches(awaitedEnds);
    this.#ledgerChanged();
  }

  /**
   * Stops before a batch, once all that comes before it is committed: whoever leaves it out, by
   * its offset, must not leave out more. If a part of it is counted, it is read once more before.
   */
  async #stopBefore(error: UnreadableBatchError, partition: number): Promise<void> {
    const assignment = this.#assignment;
    if (!this.#ledger.isPlaced(partition)) return this.#startOver(assignment.partitions);
    this.#isAwaited = true;
    this.#changed.notify();
    const isMoved = () => assignment !== this.#assignment; // a commit was fenced, for one
    const isCommitted = () => this.#ledger.isEmpty && !this.#isCommitting;
    await this.#changed.until(() => isMoved() || isCommitted(), { signal: this.#stopping });
    if (!isMoved() && !this.#stopping.aborted) throw inPartition(partition, error);
  }

  /** Resolves to true when more may be pending, and to false when the end was asked for. */
  #room(): Promise<boolean> {
    return this.#changed.until(() => this.#hasRoom(), { signal: this.#stopping });
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
    await assertRewritten(partition, this.#options, this.#retry);
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
    this.#lagMonitor.reset();
    this.#pendingSince = null;
    this.#assignment = { partitions };
    this.#changed.notify();
  }

  #hasRoom(): boolean {
    return this.#assignment === this.#placed && !this.#availability.isAway("commit") &&
      this.#ledger.pendingBytes < this.#fullBytes;
  }

  /** Places each new assignment, once the commit under way is settled. */
  async #placeLoop(): Promise<void> {
    const isDue = () => this.#assignment !== this.#placed && !this.#isCommitting;
    while (await this.#changed.until(isDue, { signal: this.#stopping })) {
      const assignment = this.#assignment;
      const { source } = this.#options;
      const placements = await startOffsets(assignment.partitions, {
        ...this.#options,
        retry: this.#retry,
      });
      this.#horizonMs = await this.#retry("query", () => this.#options.sink.horizon());
      if (assignment !== this.#assignment) continue;
      this.#placed = assignment;
      source.resume(this.#ledger.place(placements));
      this.#options.observer.positioned(this.#ledger.positions());
      this.#ledgerChanged();
    }
  }

  /** Commits when the pending counts are old or large enough. */
  async #commitLoop(): Promise<void> {
    const isPending = () => this.#pendingSince !== null;
    while (await this.#changed.until(isPending, { signal: this.#stopping })) {
      const ageMs = performance.now() - (this.#pendingSince ?? 0);
      const largeBytes = Math.min(LARGE_BYTES, this.#fullBytes);
      const isDue = () => this.#isAwaited || this.#ledger.pendingBytes >= largeBytes;
      await this.#changed.until(isDue, {
        timeoutMs: Math.max(0, this.#options.commitIntervalMs - ageMs),
        signal: this.#stopping,
      });
      if (this.#stopping.aborted) return;
      if (!this.#ledger.isEmpty) await this.#commit();
    }
  }

  async #commit(): Promise<void> {
    const { observer, sink, source } = this.#options;
    const bytes = this.#ledger.pendingBytes;
    const commit = this.#ledger.drain();
    this.#pendingSince = null;
    this.#isCommitting = true;
    this.#changed.notify();
    const startedAt = performance.now();
    const store = commitOnce(commit, sink);
    let tries = 0;
    try {
      await this.#retryUntil("commit", () => (tries++, store()), this.#abandon.signal);
      this.#fullBytes = Math.min(FULL_BYTES, this.#fullBytes * 1.25);
      observer.committed(commit, (performance.now() - startedAt) / 1000);
      source.acknowledge(
        new Map(commit.partitions.map(({ partition, nextOffset }) => [partition, nextOffset])),
      );
      // Nothing was read while the sink was away, so nobody would notice that the topic was made anew.
      if (tries > 1) this.#startOver(this.#assignment.partitions);
    } catch (error) {
      if (error instanceof FencedError) {
        observer.fenced(error);
      } else if (error instanceof CommitTooSlowError) {
        this.#fullBytes = Math.max(LEAST_FULL_BYTES, Math.min(bytes, this.#fullBytes) / 4);
        observer.failed("commit", error);
        await delay(TOO_SLOW_PAUSE_MS, this.#stopping);
      } else if (isPassing(error)) {
        observer.abandoned(error);
      } else throw error;
      this.#startOver(this.#assignment.partitions);
    } finally {
      this.#isCommitting = false;
      this.#changed.notify();
    }
  }

  async #monitorLoop(): Promise<void> {
    const { graceMs, windowMs: sizeMs } = this.#options;
    for (;;) {
      await delay(CHECK_INTERVAL_MS, this.#stopping);
      if (this.#stopping.aborted) return;
      const sight = await this.#lagMonitor.look(this.#retry, () => this.#hasRoom());
      if (sight === "place anew") this.#startOver(this.#assignment.partitions);
      else this.#closedUpToMs = closedUpTo(sight.watermarkMs, { sizeMs, graceMs });
      this.#ledgerChanged();
    }
  }

  /** Asks until there is an answer or the end is asked for. */
  readonly #retry: Retry = (system, question) => this.#retryUntil(system, question, this.#stopping);

  async #retryUntil<T>(
    system: System,
    question: () => Promise<T>,
    signal: AbortSignal,
  ): Promise<T> {
    const answer = await this.#availability.retry(system, question, signal);
    this.#changed.notify();
    return answer;
  }
}

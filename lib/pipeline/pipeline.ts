/**
 * The loop between a source and a sink: counts what was read, and commits the
 * counts together with the offsets they stand for.
 *
 * Positions and the horizon are only ever taken from the sink, and only while no
 * commit is under way: after a rebalance, and after a commit that was fenced. All that
 * is pending is dropped before (see `core/offsets/ledger.ts`).
 * @module
 */

import { delay } from "../async/delay.ts";
import { runTaskGroup } from "../async/task_group.ts";
import { isPassing } from "../core/failure.ts";
import type { Fetched } from "../core/records/log_batch.ts";
import type { PendingOptions } from "../core/windowing/pending.ts";
import { closedUpTo } from "../core/windowing/watermark.ts";
import { Availability, type Retry } from "./availability.ts";
import { Committer } from "./commit/committer.ts";
import { assertRewritten } from "./compaction.ts";
import { FetchCounter } from "./fetch_counter.ts";
import { LagMonitor } from "./lag_monitor.ts";
import type { PipelineObserver } from "./observer.ts";
import { PipelineState } from "./pipeline_state.ts";
import type { Sink } from "./sink.ts";
import type { Source, SourceReader } from "./source.ts";
import { startOffsets } from "./start_offsets.ts";

/** What a pipeline connects, and how it behaves. */
export interface PipelineOptions extends PendingOptions {
  readonly source: Source;
  readonly sink: Sink;
  readonly observer: PipelineObserver;
  readonly graceMs: number;
  /** Age at which pending counts are committed. */
  readonly commitIntervalMs: number;
  /** What to do when Kafka has deleted records before they were read: stop, or continue after them. */
  readonly onDataLoss: "fail" | "continue";
  /** How long the source may deliver nothing, although the log has more, before it has to reconnect. */
  readonly stallMs: number;
  /** How long the last commit may take after a stop was requested. */
  readonly stopTimeoutMs: number;
  /** Ends to reach: once all assigned partitions have, pending counts are committed at once. */
  readonly awaitedEnds?: ReadonlyMap<number, number> | undefined;
}

/** How often lag and watermark are checked. */
const CHECK_INTERVAL_MS = 5_000;

/** Counts what one source reads into one sink. */
export class Pipeline implements SourceReader {
  readonly #options: PipelineOptions;
  readonly #state: PipelineState;
  readonly #availability: Availability;
  readonly #committer: Committer;
  readonly #counter: FetchCounter;
  readonly #lagMonitor: LagMonitor;
  /** Aborts when the last commit has taken too long. */
  readonly #abandon = new AbortController();
  /** Retries until a system answers or the pipeline is asked to stop. */
  readonly #retry: Retry = (system, question) =>
    this.#availability.retry(system, question, this.#state.stopping);

  constructor(options: PipelineOptions) {
    const { observer, awaitedEnds } = options;
    const state = new PipelineState(options);
    const availability = new Availability(observer);
    const abandon = this.#abandon.signal;
    this.#options = options;
    this.#state = state;
    this.#availability = availability;
    this.#committer = new Committer(state, { ...options, availability, abandon });
    this.#counter = new FetchCounter(state, { committer: this.#committer, awaitedEnds });
    this.#lagMonitor = new LagMonitor({
      ...options,
      ledger: state.ledger,
      assignment: () => state.assignment,
    });
  }

  /**
   * Runs until the signal aborts or the source ends; then commits what is pending.
   * @throws the failure that stopped it, if it requires an operator. What was pending is not committed then.
   */
  async run(signal: AbortSignal): Promise<void> {
    const ended = new AbortController();
    const stopping = this.#state.stopping = AbortSignal.any([signal, ended.signal]);
    let deadline: ReturnType<typeof setTimeout> | undefined;
    stopping.addEventListener("abort", () => {
      deadline = setTimeout(() => this.#abandon.abort(), this.#options.stopTimeoutMs);
    }, { once: true });
    const loops = [
      this.#options.source.read(this, stopping),
      this.#startLoop(),
      this.#committer.run(),
      this.#monitorLoop(),
    ];
    try {
      await runTaskGroup(loops, { ended, stopping });
      if (!this.#state.ledger.isEmpty) await this.#committer.commit();
      await this.#closeWindows();
    } finally {
      clearTimeout(deadline);
    }
  }

  /** No worker may follow once the awaited ends are reached, so complete windows are closed now. */
  async #closeWindows(): Promise<void> {
    const { awaitedEnds, sink } = this.#options;
    if (!awaitedEnds) return;
    try {
      const advance = () => sink.advanceWatermark(awaitedEnds.size);
      await this.#availability.retry("query", advance, this.#abandon.signal);
    } catch (error) {
      if (!isPassing(error)) throw error; // the next run closes them
    }
  }

  assigned(partitions: readonly number[]): void {
    this.#options.observer.answered("group");
    this.#options.observer.assigned(partitions);
    this.#state.startOver(partitions);
  }

  async fetched(fetched: Fetched): Promise<void> {
    switch (this.#state.ledger.fitOf(fetched)) {
      case "fits":
        await this.#counter.count(fetched);
        break;
      case "elsewhere": // the log may have changed: starting checks it
        this.#state.startOver();
        break;
      case "other log":
        await this.#acceptRewritten(fetched.partition);
        break;
      case "not started": // fetched before a rebalance
    }
    await this.#counter.room();
  }

  /** The source reconnects by itself, with a new assignment. */
  interrupted(error: unknown): void {
    this.#options.observer.failed("group", error);
  }

  /**
   * The last counted batch is not as it was: compaction may have rewritten it.
   * @throws {OtherLogError} if it has not.
   */
  async #acceptRewritten(partition: number): Promise<void> {
    const { assignment, ledger } = this.#state;
    await assertRewritten(partition, this.#options, this.#retry);
    if (assignment !== this.#state.assignment) return;
    const position = ledger.acceptLog(partition);
    if (position !== undefined) this.#options.source.resume(new Map([[partition, position]]));
  }

  /** Starts each new assignment, once the commit under way is settled. */
  async #startLoop(): Promise<void> {
    const { source, sink, observer } = this.#options;
    const { changed, ledger, stopping } = this.#state;
    const isDue = () => !this.#state.isStarted && !this.#committer.isCommitting;
    while (await changed.until(isDue, { signal: stopping })) {
      const { assignment } = this.#state;
      const offsets = await startOffsets(assignment.partitions, {
        ...this.#options,
        retry: this.#retry,
      });
      const horizonMs = await this.#retry("query", () => sink.horizon());
      this.#state.bounds = { ...this.#state.bounds, horizonMs };
      if (assignment !== this.#state.assignment) continue;
      source.resume(this.#state.start(offsets));
      observer.positioned(ledger.positions());
    }
  }

  async #monitorLoop(): Promise<void> {
    const { graceMs, windowMs: sizeMs } = this.#options;
    const { stopping } = this.#state;
    for (;;) {
      await delay(CHECK_INTERVAL_MS, stopping);
      if (stopping.aborted) return;
      const reading = await this.#lagMonitor.check(this.#retry, () => this.#committer.hasRoom);
      if (reading === "start over") this.#state.startOver();
      else {
        const closedUpToMs = closedUpTo(reading.watermarkMs, { sizeMs, graceMs });
        this.#state.bounds = { ...this.#state.bounds, closedUpToMs };
      }
      this.#state.ledgerChanged();
    }
  }
}

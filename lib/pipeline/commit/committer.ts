/**
 * Commits pending counts, and retries until the sink has accepted or refused them.
 * @module
 */

import { delay } from "../../async/delay.ts";
import { isPassing } from "../../core/failure.ts";
import { CommitPolicy } from "../../core/windowing/commit_policy.ts";
import type { Commit } from "../../core/windowing/pending.ts";
import type { Availability } from "../availability.ts";
import type { PipelineObserver } from "../observer.ts";
import type { PipelineState } from "../pipeline_state.ts";
import { CommitTooSlowError, FencedError, type Sink } from "../sink.ts";
import type { Source } from "../source.ts";
import { commitOnce } from "./commit_once.ts";

export interface CommitterOptions {
  readonly source: Source;
  readonly sink: Sink;
  readonly observer: PipelineObserver;
  readonly availability: Availability;
  /** Aborts when the last commit has taken too long. */
  readonly abandon: AbortSignal;
  /** Age at which pending counts are committed. */
  readonly commitIntervalMs: number;
}

export class Committer {
  readonly #state: PipelineState;
  readonly #options: CommitterOptions;
  readonly #policy: CommitPolicy;
  #isCommitting = false;
  #isAwaited = false;

  constructor(state: PipelineState, options: CommitterOptions) {
    this.#state = state;
    this.#options = options;
    this.#policy = new CommitPolicy(options);
  }

  get isCommitting(): boolean {
    return this.#isCommitting;
  }

  /** Whether what is pending is committed at once. */
  set isAwaited(isAwaited: boolean) {
    this.#isAwaited = isAwaited;
    this.#state.changed.notify();
  }

  /** Whether more may be pending. */
  get hasRoom(): boolean {
    return this.#state.isStarted && !this.#options.availability.isAway("commit") &&
      this.#policy.hasRoom(this.#state.ledger.pendingBytes);
  }

  /** Commits when the pending counts are old or large enough, or awaited. */
  async run(): Promise<void> {
    const { changed, ledger, stopping } = this.#state;
    const isPending = () => this.#state.pendingSinceMs !== null;
    while (await changed.until(isPending, { signal: stopping })) {
      const isDue = () => this.#dueInMs() === 0;
      await changed.until(isDue, { timeoutMs: this.#dueInMs(), signal: stopping });
      if (stopping.aborted) return;
      if (!ledger.isEmpty) await this.commit();
    }
  }

  #dueInMs(): number {
    const { pendingSinceMs, ledger } = this.#state;
    const nowMs = performance.now();
    return this.#policy.dueInMs({
      ageMs: nowMs - (pendingSinceMs ?? nowMs),
      bytes: ledger.pendingBytes,
      isAwaited: this.#isAwaited,
    });
  }

  async commit(): Promise<void> {
    const { ledger, changed } = this.#state;
    const bytes = ledger.pendingBytes;
    const commit = this.#state.drain();
    this.#isCommitting = true;
    changed.notify();
    try {
      const attempts = await this.#store(commit);
      // Nothing was read while the sink was down: the topic may have been recreated meanwhile.
      if (attempts > 1) this.#state.startOver();
    } catch (error) {
      await this.#handleFailure(error, bytes);
      this.#state.startOver();
    } finally {
      this.#isCommitting = false;
      changed.notify();
    }
  }

  /** @returns the number of attempts. */
  async #store(commit: Commit): Promise<number> {
    const { observer, sink, source, availability, abandon } = this.#options;
    const startedAt = performance.now();
    const store = commitOnce(commit, sink);
    let attempts = 0;
    await availability.retry("commit", () => (attempts++, store()), abandon);
    this.#policy.succeeded();
    observer.committed(commit, (performance.now() - startedAt) / 1000);
    source.acknowledge(
      new Map(commit.partitions.map(({ partition, nextOffset }) => [partition, nextOffset])),
    );
    return attempts;
  }

  /** @throws the failure, if it requires an operator. */
  async #handleFailure(error: unknown, bytes: number): Promise<void> {
    const { observer } = this.#options;
    if (error instanceof FencedError) {
      observer.fenced(error);
    } else if (error instanceof CommitTooSlowError) {
      const delayMs = this.#policy.tooSlow(bytes);
      observer.failed("commit", error);
      await delay(delayMs, this.#state.stopping);
    } else if (isPassing(error)) {
      observer.abandoned(error);
    } else throw error;
  }
}

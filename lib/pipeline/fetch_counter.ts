/**
 * Counts fetched batches piece by piece, while their partitions are assigned and memory allows.
 * @module
 */

import { TimeSlice } from "../async/time_slice.ts";
import type { Fetched } from "../core/records/log_batch.ts";
import { inPartition, UnreadableBatchError } from "../core/records/unreadable_batch.ts";
import type { Committer } from "./commit/committer.ts";
import type { Assignment, PipelineState } from "./pipeline_state.ts";

export class FetchCounter {
  readonly #state: PipelineState;
  readonly #committer: Committer;
  readonly #awaitedEnds: ReadonlyMap<number, number> | undefined;
  readonly #timeSlice = new TimeSlice();

  constructor(
    state: PipelineState,
    { committer, awaitedEnds }: {
      readonly committer: Committer;
      /** Once all partitions have reached them, pending counts are committed at once. */
      readonly awaitedEnds: ReadonlyMap<number, number> | undefined;
    },
  ) {
    this.#state = state;
    this.#committer = committer;
    this.#awaitedEnds = awaitedEnds;
  }

  /** @throws {OperatorError} for a batch that cannot be read, once all before it is committed. */
  async count(fetched: Fetched): Promise<void> {
    const { assignment } = this.#state;
    try {
      await this.#countPieces(fetched, assignment);
    } catch (error) {
      if (!(error instanceof UnreadableBatchError)) throw error;
      if (assignment === this.#state.assignment) await this.#stopBefore(error, fetched.partition);
    }
  }

  /** Resolves to true when more may be pending, and to false when the end was asked for. */
  room(): Promise<boolean> {
    const { changed, stopping } = this.#state;
    return changed.until(() => this.#committer.hasRoom, { signal: stopping });
  }

  /** A fetch can be a thousand times as large as its bytes on the wire. */
  async #countPieces(fetched: Fetched, assignment: Assignment): Promise<void> {
    const { partition, batches } = fetched;
    const { ledger } = this.#state;
    for (const batch of batches) {
      if (ledger.hasCounted(batch, partition)) continue;
      for await (const piece of batch.pieces()) {
        if (assignment !== this.#state.assignment) return; // while it was decompressed
        ledger.count(piece, { partition, ...this.#state.bounds });
        this.#state.ledgerChanged();
        await this.#timeSlice.yield();
        if (!await this.room() || assignment !== this.#state.assignment) return;
      }
    }
    if (assignment !== this.#state.assignment) return;
    ledger.finish(fetched);
    this.#state.ledgerChanged();
    this.#committer.isAwaited = this.#awaitedEnds !== undefined &&
      ledger.hasReached(this.#awaitedEnds);
  }

  /**
   * Stops before a batch, once all that comes before it is committed, so that an operator who skips
   * it skips nothing else. If part of it is counted, it is first read once more.
   */
  async #stopBefore(error: UnreadableBatchError, partition: number): Promise<void> {
    const { assignment, changed, ledger, stopping } = this.#state;
    if (!ledger.has(partition)) return this.#state.startOver();
    this.#committer.isAwaited = true;
    const hasMoved = () => assignment !== this.#state.assignment; // a commit was fenced, for one
    const isCommitted = () => ledger.isEmpty && !this.#committer.isCommitting;
    await changed.until(() => hasMoved() || isCommitted(), { signal: stopping });
    if (!hasMoved() && !stopping.aborted) throw inPartition(partition, error);
  }
}

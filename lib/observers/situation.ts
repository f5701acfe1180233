/**
 * Where a worker stands, for whoever has to be told.
 * @module
 */

import type { PartitionSituation } from "../core/alert.ts";
import type { Commit } from "../core/windowing/pending.ts";
import type { PipelineObserver, System } from "../pipeline/observer.ts";

/** Follows one pipeline. */
export class SituationBoard implements Partial<PipelineObserver> {
  readonly #offsets = new Map<number, number>();
  readonly #lags = new Map<number, number>();
  #lastCommitMs: number | null = null;
  #assigned: readonly number[] | null = null;

  /** Partitions that the group gave us, read or not; null before it has. */
  get assignedPartitions(): readonly number[] | null {
    return this.#assigned;
  }

  /** Milliseconds since the epoch, or null before the first commit. */
  get lastCommitMs(): number | null {
    return this.#lastCommitMs;
  }

  /** Partitions that are read, in their order. */
  get partitions(): PartitionSituation[] {
    return Array.from(this.#offsets, ([partition, nextOffset]) => ({
      partition,
      nextOffset,
      lag: this.#lags.get(partition) ?? null,
    })).sort((a, b) => a.partition - b.partition);
  }

  assigned(partitions: readonly number[]): void {
    this.#assigned = partitions;
    this.#offsets.clear();
    this.#lags.clear();
  }

  positioned(positions: ReadonlyMap<number, number>): void {
    for (const [partition, position] of positions) this.#offsets.set(partition, position);
  }

  committed({ partitions }: Commit): void {
    this.#lastCommitMs = Date.now();
    for (const { partition, nextOffset } of partitions) {
      if (this.#offsets.has(partition)) this.#offsets.set(partition, nextOffset);
    }
  }

  failed(system: System): void {
    if (system === "source" || system === "group") this.#lags.clear(); // not known any more
  }

  unavailable(partitions: ReadonlyMap<number, string>): void {
    for (const partition of partitions.keys()) this.#lags.delete(partition);
  }

  lag(lags: ReadonlyMap<number, number>): void {
    for (const [partition, lag] of lags) this.#lags.set(partition, lag);
  }
}

/**
 * What a pipeline tells of itself while it runs.
 * @module
 */

import type { LastingGap } from "../core/offsets/lasting_gaps.ts";
import type { LogRange } from "../core/offsets/log_range.ts";
import type { Commit } from "../core/windowing/pending.ts";
import type { FencedError } from "./sink.ts";

/** What can be seen of a running pipeline. Calls are synchronous and must not throw. */
export interface PipelineObserver {
  assigned(partitions: readonly number[]): void;
  /** Where counting goes on, for each partition assigned. */
  positioned(positions: ReadonlyMap<number, number>): void;
  committed(commit: Commit, seconds: number): void;
  fenced(error: FencedError): void;
  /** A try failed and will be repeated. */
  failed(system: System, error: unknown): void;
  /** The system answered. */
  answered(system: System): void;
  /** The end was asked for while a system is away: what was pending is not committed, and will be read again. */
  abandoned(error: unknown): void;
  /** The source stood still although there was something to read: it was told to connect anew. */
  stalled(partitions: readonly number[]): void;
  /** Whether the log is compacted, and counted all the same; told at each look. */
  compacted(isCompacted: boolean): void;
  /** Those of our partitions that cannot be read right now, and why not; the others go on. Told at each look. */
  unavailable(partitions: ReadonlyMap<number, string>): void;
  /** The source had to wait so long, since the last look, because it had had its share. */
  throttled(ms: number): void;
  /** Records between our positions and the ends of the partitions. */
  lag(lags: ReadonlyMap<number, number>): void;
  /** All partitions of the log that can be read, also those of others. */
  ranges(ranges: ReadonlyMap<number, LogRange>): void;
  watermark(watermarkMs: number | null): void;
}

/** What can be seen of all workers together. Calls are synchronous and must not throw. */
export interface CoverageObserver {
  /** Records that wait in every partition of the log, by what is stored, whoever has it. */
  lagOfAll(lags: ReadonlyMap<number, number>): void;
  /**
   * Partitions that no worker of the database has counted for a while, and what to do about it;
   * told at each look.
   */
  uncounted(gaps: readonly LastingGap[], problems: readonly string[]): void;
}

/**
 * What can be away: the source, our membership in its group, the sink for commits, and for looks
 * at its offsets and times, which it may well allow while it takes no commit (its disk is full, a
 * table locked).
 */
export type System = "source" | "group" | "commit" | "query";

export type SystemName = "Kafka" | "PostgreSQL";

export function systemName(system: System): SystemName {
  return system === "commit" || system === "query" ? "PostgreSQL" : "Kafka";
}

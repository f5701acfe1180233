/**
 * What a pipeline reports while it runs.
 * @module
 */

import type { LastingGap } from "../core/offsets/lasting_gaps.ts";
import type { LogRange } from "../core/offsets/log_range.ts";
import type { Commit } from "../core/windowing/pending.ts";
import type { FencedError } from "./sink.ts";

/** Calls are synchronous and must not throw. */
export interface PipelineObserver {
  assigned(partitions: readonly number[]): void;
  /** Where counting continues, for each partition assigned. */
  positioned(positions: ReadonlyMap<number, number>): void;
  committed(commit: Commit, seconds: number): void;
  fenced(error: FencedError): void;
  /** An attempt failed and will be repeated. */
  failed(system: System, error: unknown): void;
  answered(system: System): void;
  /** The pipeline stops while a system is down: pending counts are not committed, and their records are read again. */
  abandoned(error: unknown): void;
  /** The source delivered nothing although the log has more, and reconnects. */
  stalled(partitions: readonly number[]): void;
  /** Whether the log is compacted, and counted all the same; reported at each check. */
  compacted(isCompacted: boolean): void;
  /** Those of our partitions that cannot be read right now, and why; reported at each check. */
  unavailable(partitions: ReadonlyMap<number, string>): void;
  /** How long Kafka's quota has made the source wait since the last check. */
  throttled(ms: number): void;
  /** Records between our positions and the ends of the partitions. */
  lag(lags: ReadonlyMap<number, number>): void;
  /** All partitions of the log that can be read, also those of others. */
  ranges(ranges: ReadonlyMap<number, LogRange>): void;
  watermark(watermarkMs: number | null): void;
}

/** What is reported of all workers. Calls are synchronous and must not throw. */
export interface CoverageObserver {
  /** Records waiting in every partition of the log, by its stored offset. */
  lagOfAll(lags: ReadonlyMap<number, number>): void;
  /**
   * Partitions that no worker of the database has counted for a while, and what to do about it;
   * reported at each check.
   */
  uncounted(gaps: readonly LastingGap[], problems: readonly string[]): void;
}

/**
 * What can be down: the source, our membership in its group, and the sink for commits and for
 * queries, which it may answer while it takes no commit (its disk is full, a table is locked).
 */
export type System = "source" | "group" | "commit" | "query";

export type SystemName = "Kafka" | "PostgreSQL";

export function systemName(system: System): SystemName {
  return system === "commit" || system === "query" ? "PostgreSQL" : "Kafka";
}

/**
 * The two ends of the pipeline, as the pipeline needs them: where records come
 * from, and where counts go. It knows neither Kafka nor PostgreSQL.
 * @module
 */

import type { LastingGap } from "../core/offsets/coverage_watch.ts";
import type { LogRange, LogView } from "../core/offsets/log_range.ts";
import type { Commit } from "../core/windowing/pending.ts";
import type { Fetched } from "../core/records/log_batch.ts";
import type { Position } from "../core/offsets/positions.ts";

/** What a source tells while it reads. Neither call may throw for a reason of its own. */
export interface SourceReader {
  /**
   * These partitions, and no others, are ours from now on. All that was read
   * before is void, and nothing is read before `resume`.
   */
  assigned(partitions: readonly number[]): void;
  /**
   * Takes what was read. The source reads on when the promise has resolved, as it does
   * when the signal of `read` aborts; it stays a member of its group meanwhile.
   */
  fetched(fetched: Fetched): Promise<void>;
  /** The connection is lost, which passes: the source goes on trying, and `assigned` follows. */
  interrupted(error: unknown): void;
}

/** Where records come from. */
export interface Source extends AsyncDisposable {
  /** What a person calls it. */
  readonly name: string;
  /**
   * Reads until the signal aborts or the input ends; resolves when no more calls will come.
   * Reconnects by itself. Rejects when a person is needed, or with what the reader threw.
   */
  read(reader: SourceReader, signal: AbortSignal): Promise<void>;
  /** Ends the connection and opens another, because nothing comes although there is something to read. */
  renew(): void;
  /** Reads each assigned partition from its offset. Does nothing for partitions that are not assigned any more. */
  resume(positions: ReadonlyMap<number, number>): void;
  /**
   * True if records may be gone before they are read, and batches missing from the log or written
   * anew, so that a mark proves nothing.
   */
  isCompacted(): Promise<boolean>;
  /** What is known of the given partitions, or of all there are. May run beside everything else. */
  viewLog(partitions?: readonly number[]): Promise<LogView>;
  /**
   * When partitions gave a sign of life although nothing of them came, by `performance.now()`: they
   * wait for their turn while others come, or for what we may be given.
   */
  readonly signsOfLife: ReadonlyMap<number, number>;
  /** How long we had to wait up to now because we had had our share. */
  readonly throttledMs: number;
  /** Tells the source's own tools how far we are. Best effort: it never fails and nothing depends on it. */
  acknowledge(positions: ReadonlyMap<number, number>): void;
}

/**
 * Where counts go, and the only truth about progress. `positions` first, then commits;
 * of these two only one runs at a time.
 */
export interface Sink {
  /**
   * Where each partition stands. One that is not known yet gets the given start of its log.
   * @throws {OperatorError} if the pipeline was reset since this sink was opened.
   */
  positions(logStarts: ReadonlyMap<number, number>): Promise<ReadonlyMap<number, Position>>;
  /**
   * Start of the oldest window that takes events, in milliseconds since the epoch; −∞ while none
   * is deleted. It only rises, and a commit for a window before it is fenced. So an event is
   * counted or kept as `expired_window` by what is so when it is stored, whatever was read here.
   */
  horizon(): Promise<number>;
  /**
   * Stores counts, dead letters and offsets together, or nothing.
   * After a failure that passes it is unknown which; the same commit may then be
   * tried again, because one that was stored is fenced.
   * @throws {FencedError} if a partition does not stand at its expected offset, or a window is
   * before the horizon: drop what is pending and ask for `positions` and `horizon` again.
   * @throws {CommitTooSlowError} if the sink gave it up.
   */
  commit(commit: Commit): Promise<void>;
  /**
   * Computes the watermark over all partitions of the log, stores and returns it.
   * Milliseconds since the epoch, or null as long as nothing is known.
   */
  advanceWatermark(partitionCount: number): Promise<number | null>;
}

/** Another worker has moved a partition or the horizon, or an earlier try of the same commit has. */
export class FencedError extends Error {
  override readonly name = "FencedError";
  /** It happens again and again, though nothing has moved. */
  readonly isStuck: boolean;

  constructor(message: string, { isStuck = false, ...options }: FencedOptions = {}) {
    super(message, options);
    this.isStuck = isStuck;
  }
}

interface FencedOptions extends ErrorOptions {
  readonly isStuck?: boolean;
}

/** A commit that was not stored, because it was too much for the sink: drop what is pending, and go on with less. */
export class CommitTooSlowError extends Error {
  override readonly name = "CommitTooSlowError";
}

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
export type System = "source" | "group" | "sink" | "looks";

/** What a person calls it. */
export function systemName(system: System): "Kafka" | "PostgreSQL" {
  return system === "sink" || system === "looks" ? "PostgreSQL" : "Kafka";
}

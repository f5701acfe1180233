/**
 * Where counts go, as the pipeline needs it. It does not know PostgreSQL.
 * @module
 */

import type { Position } from "../core/offsets/positions.ts";
import type { Commit } from "../core/windowing/pending.ts";

/**
 * Where counts go, and the only truth about progress. `positions` first, then commits;
 * of these two only one runs at a time.
 */
export interface Sink {
  /**
   * The position of each partition. One that is not known yet gets the given start of its log.
   * @throws {OperatorError} if the pipeline was reset since this sink was opened.
   */
  positions(logStarts: ReadonlyMap<number, number>): Promise<ReadonlyMap<number, Position>>;
  /**
   * Start of the oldest window that takes events, in milliseconds since the epoch; −∞ while none
   * is deleted. It only rises, and a commit for a window before it is fenced: so whether an event is
   * counted or kept as `expired_window` is decided when it is stored, whatever was read here.
   */
  horizon(): Promise<number>;
  /**
   * Stores counts, dead letters and offsets together, or nothing.
   * After a failure that passes it is unknown which; the same commit may then be
   * attempted again, because one that was stored is fenced.
   * @throws {FencedError} if a partition is not at its expected offset, or a window is
   * before the horizon: drop what is pending and ask for `positions` and `horizon` again.
   * @throws {CommitTooSlowError} if the sink gave it up.
   */
  commit(commit: Commit): Promise<void>;
  /**
   * Computes the watermark over all partitions of the log, stores and returns it.
   * Milliseconds since the epoch, or null until it is known.
   */
  advanceWatermark(partitionCount: number): Promise<number | null>;
}

/** Another worker has moved a partition or the horizon, or an earlier attempt of the same commit has. */
export class FencedError extends Error {
  override readonly name = "FencedError";
  /** Commits keep being fenced although nothing has moved. */
  readonly isStuck: boolean;

  constructor(message: string, { isStuck = false, ...options }: FencedOptions = {}) {
    super(message, options);
    this.isStuck = isStuck;
  }
}

interface FencedOptions extends ErrorOptions {
  readonly isStuck?: boolean;
}

/** The commit was too large for the sink and was not stored: drop what is pending, and continue with smaller commits. */
export class CommitTooSlowError extends Error {
  override readonly name = "CommitTooSlowError";
}

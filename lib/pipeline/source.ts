/**
 * Where records come from, as the pipeline needs it. It does not know Kafka.
 * @module
 */

import type { LogView } from "../core/offsets/log_range.ts";
import type { Fetched } from "../core/records/log_batch.ts";

/** Receives what a source reads. Calls must not throw unless the pipeline has to stop. */
export interface SourceReader {
  /**
   * From now on exactly these partitions are assigned. Everything read before is void, and
   * nothing is read before `resume`.
   */
  assigned(partitions: readonly number[]): void;
  /**
   * Takes what was read. The source reads on when the promise has resolved, as it does
   * when the signal of `read` aborts; it stays a member of its group meanwhile.
   */
  fetched(fetched: Fetched): Promise<void>;
  /** The connection is lost for now: the source keeps reconnecting, and `assigned` follows. */
  interrupted(error: unknown): void;
}

export interface Source extends AsyncDisposable {
  readonly name: string;
  /**
   * Reads until the signal aborts or the input ends; resolves when no more calls will come.
   * Reconnects by itself. Rejects when an operator is required, or with what the reader threw.
   */
  read(reader: SourceReader, signal: AbortSignal): Promise<void>;
  /** Reconnects: nothing arrives although the log has more. */
  renew(): void;
  /** Reads each assigned partition from its offset. Does nothing for partitions that are no longer assigned. */
  resume(positions: ReadonlyMap<number, number>): void;
  /**
   * True if records may be gone before they are read, and batches may be missing or rewritten, so
   * that a mark proves nothing.
   */
  isCompacted(): Promise<boolean>;
  /** The view of the given partitions, or of all. May run concurrently with everything else. */
  viewLog(partitions?: readonly number[]): Promise<LogView>;
  /**
   * When partitions last answered although they delivered nothing, by `performance.now()`: they wait
   * for their turn while others deliver, or for our quota.
   */
  readonly signsOfLife: ReadonlyMap<number, number>;
  /** Total time that the source has waited because of its quota. */
  readonly throttledMs: number;
  /** Reports positions to the source, for its own tools. Best effort: never fails, and nothing depends on it. */
  acknowledge(positions: ReadonlyMap<number, number>): void;
}

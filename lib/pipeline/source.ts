/**
 * Where records come from, as the pipeline needs it. It does not know Kafka.
 * @module
 */

import type { LogView } from "../core/offsets/log_range.ts";
import type { Fetched } from "../core/records/log_batch.ts";

/** Takes what a source reads. Calls must not throw for a reason of their own. */
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
  /** The connection is lost, which passes: the source keeps trying, and `assigned` follows. */
  interrupted(error: unknown): void;
}

export interface Source extends AsyncDisposable {
  /** Its name in messages. */
  readonly name: string;
  /**
   * Reads until the signal aborts or the input ends; resolves when no more calls will come.
   * Reconnects by itself. Rejects when an operator is required, or with what the reader threw.
   */
  read(reader: SourceReader, signal: AbortSignal): Promise<void>;
  /** Reconnects, because nothing comes although there is something to read. */
  renew(): void;
  /** Reads each assigned partition from its offset. Does nothing for partitions that are no longer assigned. */
  resume(positions: ReadonlyMap<number, number>): void;
  /**
   * True if records may be gone before they are read, and batches may be missing or rewritten, so
   * that a mark proves nothing.
   */
  isCompacted(): Promise<boolean>;
  /** What is known of the given partitions, or of all there are. May run beside everything else. */
  viewLog(partitions?: readonly number[]): Promise<LogView>;
  /**
   * When partitions last answered although they delivered nothing, by `performance.now()`: they wait
   * for their turn while others deliver, or for our quota.
   */
  readonly signsOfLife: ReadonlyMap<number, number>;
  /** How long the source's quota has made us wait so far. */
  readonly throttledMs: number;
  /** Tells the source's own tools our positions. Best effort: it never fails and nothing depends on it. */
  acknowledge(positions: ReadonlyMap<number, number>): void;
}

/**
 * Where records come from, as the pipeline needs it. It does not know Kafka.
 * @module
 */

import type { LogView } from "../core/offsets/log_range.ts";
import type { Fetched } from "../core/records/log_batch.ts";

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

/**
 * The log that counts are compared with: Kafka's, or the generated one of `demo`.
 * @module
 */

import type { LogPart, LogRange } from "../offsets/log_range.ts";
import type { LogBatch } from "../records/log_batch.ts";

export interface AuditedLog {
  /** True if records may go missing anywhere, so that nothing can be recounted. */
  isCompacted(): Promise<boolean>;
  /** What the log holds of these partitions, as far as it is known. */
  ranges(partitions: readonly number[]): Promise<ReadonlyMap<number, LogRange>>;
  /**
   * The record batches of a part, in order and without aborted transactions. The first and the last
   * may extend beyond it.
   * @throws {LogStartMovedError} if records are deleted before they are read.
   */
  read(part: LogPart): AsyncIterable<readonly LogBatch[]>;
}

/** The log has lost records before they were read. */
export class LogStartMovedError extends Error {
  override readonly name = "LogStartMovedError";
  readonly offset: number;

  constructor(partition: number, offset: number) {
    super(`Kafka no longer holds offset ${offset} of partition ${partition}`);
    this.offset = offset;
  }
}

/**
 * Recounts a log up to the stored offsets.
 * @module
 */

import type { Audit } from "../core/audit/audit.ts";
import { type AuditedLog, LogStartMovedError } from "../core/audit/audited_log.ts";
import { beginning } from "../core/audit/history.ts";
import type { PartitionAudit } from "../core/audit/partition_audit.ts";
import { letterSha256 } from "../core/dead_letters/digest.ts";
import { UnavailableError } from "../core/failure.ts";
import { lagWithin } from "../core/offsets/log_range.ts";
import { RecordCursor } from "../core/records/record_batch.ts";
import { inPartition } from "../core/records/unreadable_batch.ts";
import { EventParser } from "../core/windowing/event.ts";
import { newSha256 } from "../io/sha256.ts";

export interface RecountOptions {
  /** Knows what is stored, and has to be given the records. */
  readonly audit: Audit;
  readonly log: AuditedLog;
  readonly maxFutureMs: number;
  readonly onProgress?: ((progress: RecountProgress) => void) | undefined;
  /** Ends the recount, which rejects with its reason. */
  readonly signal?: AbortSignal | undefined;
}

/** Offsets of all partitions that are read already, and of all that will be. */
export interface RecountProgress {
  readonly done: number;
  readonly total: number;
  readonly seconds: number;
}

/** Gives the log's records to an audit, one partition after the other. */
export class Recount {
  readonly #options: RecountOptions;
  readonly #parser: EventParser;
  readonly #startedAt = performance.now();
  /** Offsets of the partitions that are read already, and of all. */
  #done = 0;
  #total = 0;

  constructor(options: RecountOptions) {
    this.#options = options;
    this.#parser = new EventParser({ maxFutureMs: options.maxFutureMs });
  }

  async run(): Promise<void> {
    const { audit, log } = this.#options;
    // Batches of a compacted topic lose records at any time: nothing of it can be recounted.
    const isCompacted = await log.isCompacted();
    const starts = await this.#logStarts(audit.partitions);
    const lengths = audit.partitions.map((partition) => lengthOf(partition, starts));
    this.#total = isCompacted ? 0 : lengths.reduce((sum, length) => sum + length, 0);
    for (const [at, partition] of audit.partitions.entries()) {
      if (isCompacted) partition.begin(Infinity);
      else await this.#recount(partition);
      this.#done += lengths[at]!;
    }
  }

  /** @param gone an offset that Kafka has refused. */
  async #recount(partition: PartitionAudit, gone = -1): Promise<void> {
    // Retention may have moved the start while other records were read.
    const starts = await this.#logStarts([partition]);
    const from = partition.begin(starts.get(partition)!);
    if (from <= gone) {
      throw new UnavailableError(
        `Cannot read partition ${partition.history.partition} from ${from}`,
      );
    }
    try {
      await this.#read(partition, from);
    } catch (error) {
      if (!(error instanceof LogStartMovedError)) {
        throw inPartition(partition.history.partition, error);
      }
      await this.#recount(partition, error.offset);
    }
  }

  async #read(partition: PartitionAudit, from: number): Promise<void> {
    const { audit, log } = this.#options;
    const { partition: id, now: { nextOffset: to } } = partition.history;
    for await (const batches of log.read({ partition: id, from, to })) {
      this.#options.signal?.throwIfAborted();
      for (const batch of batches) {
        for await (const piece of batch.pieces()) {
          const cursor = new RecordCursor(piece);
          const sha256 = () => letterSha256(cursor, newSha256);
          while (cursor.next()) {
            const { offset } = cursor;
            if (offset < from || offset >= to) continue;
            const parsed = this.#parser.parse(cursor.bytes, {
              start: cursor.valueStart,
              end: cursor.valueEnd,
              size: cursor.valueSize,
              recordTimestampMs: cursor.timestampMs,
            });
            if (typeof parsed === "string") partition.addDeadLetter(offset, parsed, sha256);
            else audit.addEvent(partition, { offset, event: parsed, sha256 });
          }
        }
      }
      this.#report(Math.min(to, batches.at(-1)!.nextOffset) - from);
    }
  }

  /**
   * Where the log of each partition begins.
   * @throws {OtherLogError} if it ends before what was counted.
   */
  async #logStarts(
    partitions: readonly PartitionAudit[],
  ): Promise<ReadonlyMap<PartitionAudit, number>> {
    const ranges = await this.#options.log.ranges(
      partitions.map(({ history }) => history.partition),
    );
    return new Map(partitions.map((partition) => {
      const { partition: id, now } = partition.history;
      const range = ranges.get(id);
      const startOffset = range?.startOffset ?? 0;
      if (now.nextOffset >= startOffset) {
        lagWithin({ partition: id, position: now.nextOffset }, range);
      }
      return [partition, startOffset];
    }));
  }

  #report(doneHere: number): void {
    this.#options.onProgress?.({
      done: this.#done + doneHere,
      total: this.#total,
      seconds: (performance.now() - this.#startedAt) / 1000,
    });
  }
}

function lengthOf(
  partition: PartitionAudit,
  starts: ReadonlyMap<PartitionAudit, number>,
): number {
  const { nextOffset: from } = beginning(partition.history);
  const { nextOffset: to } = partition.history.now;
  return Math.max(0, to - Math.max(from, starts.get(partition)!));
}

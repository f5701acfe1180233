/**
 * Numbered records as a log with partitions: record n is in partition n mod P at offset n div P.
 * @module
 */

import { delay } from "../../async/delay.ts";
import type { AuditedLog } from "../../core/audit/audited_log.ts";
import type { LogPart, LogRange } from "../../core/offsets/log_range.ts";
import { type LogBatch, logBatchOf } from "../../core/records/log_batch.ts";
import { encodeRecordBatch, type NewRecord } from "../../core/records/record_encoder.ts";
import type { LoggedRecord } from "../../core/simulation/generated_log.ts";

/** Records that exist by some time, and can be made again whenever they are read. */
export interface NumberedRecords {
  record(n: number): LoggedRecord;
  /** Number of records at `nowMs`. */
  lengthAt(nowMs: number): number;
}

/** An audit reads while the same thread counts: for so long, and then the others have their turns. */
const SLICE_MS = 5;
const REST_MS = 1;
const AUDITED_BATCH_RECORDS = 200;

export class NumberedLog implements AuditedLog {
  readonly #records: NumberedRecords;
  readonly partitions: readonly number[];
  readonly #encoder = new TextEncoder();
  /** Records so far: a log never gets shorter, even if the clock is set back. */
  #length = 0;

  constructor(records: NumberedRecords, partitions: number) {
    this.#records = records;
    this.partitions = Array.from({ length: partitions }, (_, partition) => partition);
  }

  isCompacted(): Promise<boolean> {
    return Promise.resolve(false);
  }

  ranges(partitions = this.partitions): Promise<Map<number, LogRange>> {
    return Promise.resolve(
      new Map(partitions.map((partition) => [
        partition,
        { startOffset: 0, endOffset: this.endOffset(partition) },
      ])),
    );
  }

  async *read({ partition, from, to }: LogPart): AsyncGenerator<readonly LogBatch[]> {
    let restedAt = performance.now();
    for (let next = from; next < to; next += AUDITED_BATCH_RECORDS) {
      yield [
        this.batch({ partition, from: next, to: Math.min(to, next + AUDITED_BATCH_RECORDS) }),
      ];
      if (performance.now() - restedAt < SLICE_MS) continue;
      await delay(REST_MS);
      restedAt = performance.now();
    }
  }

  /** Number of records in a partition so far. */
  endOffset(partition: number): number {
    this.#length = Math.max(this.#length, this.#records.lengthAt(Date.now()));
    return Math.max(0, Math.ceil((this.#length - partition) / this.partitions.length));
  }

  batch({ partition, from, to }: LogPart): LogBatch {
    const records = Array.from(
      { length: to - from },
      (_, at) => this.#encoded((from + at) * this.partitions.length + partition),
    );
    return logBatchOf(encodeRecordBatch(from, records));
  }

  #encoded(n: number): NewRecord {
    const { timestampMs, key, value } = this.#records.record(n);
    return {
      timestampMs,
      key: this.#encoder.encode(key),
      value: typeof value === "string" ? this.#encoder.encode(value) : value,
    };
  }
}

/**
 * A log that needs no Kafka: record n of a generated log is in partition n mod P at
 * offset n div P.
 * @module
 */

import { delay } from "../../async/delay.ts";
import type { LogView } from "../../core/offsets/log_range.ts";
import { logBatchOf } from "../../core/records/log_batch.ts";
import { encodeRecordBatch, type NewRecord } from "../../core/records/record_encoder.ts";
import type { GeneratedLog } from "../../core/simulation/generated_log.ts";
import type { Source, SourceReader } from "../../pipeline/source.ts";

export interface GeneratorSourceOptions {
  readonly log: GeneratedLog;
  readonly partitions: number;
}

const POLL_MS = 100;
const MAX_BATCH_RECORDS = 5_000;

export class GeneratorSource implements Source {
  readonly name = "Generated events";
  readonly signsOfLife: ReadonlyMap<number, number> = new Map();
  readonly throttledMs = 0;
  readonly #options: GeneratorSourceOptions;
  readonly #positions = new Map<number, number>();
  readonly #encoder = new TextEncoder();
  /** Events so far: a log never gets shorter, even if the clock is set back. */
  #events = 0;

  constructor(options: GeneratorSourceOptions) {
    this.#options = options;
  }

  async read(reader: SourceReader, signal: AbortSignal): Promise<void> {
    reader.assigned(Array.from({ length: this.#options.partitions }, (_, partition) => partition));
    while (!signal.aborted) {
      let isBehind = false;
      for (const [partition, position] of this.#positions) {
        if (signal.aborted) return;
        isBehind = await this.#readPartition(reader, { partition, position }) || isBehind;
      }
      await delay(isBehind ? 0 : POLL_MS, signal);
    }
  }

  resume(positions: ReadonlyMap<number, number>): void {
    for (const [partition, position] of positions) this.#positions.set(partition, position);
  }

  viewLog(): Promise<LogView> {
    const { partitions } = this.#options;
    const ranges = new Map(
      Array.from({ length: partitions }, (_, partition) => [
        partition,
        { startOffset: 0, endOffset: this.#endOffset(partition) },
      ]),
    );
    return Promise.resolve({ ranges, unavailable: new Map() });
  }

  isCompacted(): Promise<boolean> {
    return Promise.resolve(false);
  }

  renew(): void {}

  acknowledge(): void {}

  async [Symbol.asyncDispose](): Promise<void> {}

  /** Reads once. @returns true if more can be read at once. */
  async #readPartition(
    reader: SourceReader,
    { partition, position }: { readonly partition: number; readonly position: number },
  ): Promise<boolean> {
    const endOffset = this.#endOffset(partition);
    const nextOffset = Math.min(endOffset, position + MAX_BATCH_RECORDS);
    if (nextOffset <= position) return false;
    const records = Array.from(
      { length: nextOffset - position },
      (_, at) => this.#record((position + at) * this.#options.partitions + partition),
    );
    this.#positions.set(partition, nextOffset);
    await reader.fetched({
      partition,
      fetchedOffset: position,
      nextOffset,
      endOffset,
      batches: [logBatchOf(encodeRecordBatch(position, records))],
    });
    return nextOffset < endOffset;
  }

  #record(n: number): NewRecord {
    const { timestampMs, key, value } = this.#options.log.record(n);
    return {
      timestampMs,
      key: this.#encoder.encode(key),
      value: typeof value === "string" ? this.#encoder.encode(value) : value,
    };
  }

  /** Number of events in a partition so far. */
  #endOffset(partition: number): number {
    const { log, partitions } = this.#options;
    this.#events = Math.max(this.#events, log.lengthAt(Date.now()));
    return Math.max(0, Math.ceil((this.#events - partition) / partitions));
  }
}

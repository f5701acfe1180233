/**
 * A log that needs no Kafka: its records follow from the seed and the time alone.
 *
 * Event n was made n / rate seconds after the start and stands in partition
 * n mod P at offset n div P. So the log can be read again from anywhere, after
 * any crash, and says the same each time.
 * @module
 */

import type { Generator } from "../core/generator.ts";
import type { LogRange } from "../core/log_range.ts";
import { encodeRecordBatch, type NewRecord } from "../core/record_encoder.ts";
import { pause } from "../condition.ts";
import type { Source, SourceReader } from "../endpoints.ts";

export interface GeneratorSourceOptions {
  readonly generator: Generator;
  readonly partitions: number;
  /** Events per second. */
  readonly rate: number;
  /** When the first event was made, in milliseconds since the epoch. */
  readonly startMs: number;
}

const POLL_MS = 100;
const MAX_BATCH_RECORDS = 5_000;

export class GeneratorSource implements Source {
  readonly #options: GeneratorSourceOptions;
  readonly #positions = new Map<number, number>();
  readonly #encoder = new TextEncoder();
  /** Events so far; a log does not get shorter, even if a clock is set back. */
  #events = 0;

  constructor(options: GeneratorSourceOptions) {
    this.#options = options;
  }

  async read(reader: SourceReader, signal: AbortSignal): Promise<void> {
    reader.assigned(Array.from({ length: this.#options.partitions }, (_, partition) => partition));
    while (!signal.aborted) {
      const before = Date.now();
      for (const [partition, position] of this.#positions) {
        if (signal.aborted) return;
        await this.#readPartition(reader, { partition, position });
      }
      await pause(Math.max(0, POLL_MS - (Date.now() - before)), signal);
    }
  }

  resume(positions: ReadonlyMap<number, number>): void {
    for (const [partition, position] of positions) this.#positions.set(partition, position);
  }

  logRanges(): Promise<ReadonlyMap<number, LogRange>> {
    const { partitions } = this.#options;
    return Promise.resolve(
      new Map(
        Array.from({ length: partitions }, (_, partition) => [
          partition,
          { startOffset: 0, endOffset: this.#endOffset(partition) },
        ]),
      ),
    );
  }

  isCompacted(): Promise<boolean> {
    return Promise.resolve(false);
  }

  renew(): void {}

  acknowledge(): void {}

  async [Symbol.asyncDispose](): Promise<void> {}

  async #readPartition(
    reader: SourceReader,
    { partition, position }: { readonly partition: number; readonly position: number },
  ): Promise<void> {
    const endOffset = this.#endOffset(partition);
    const nextOffset = Math.min(endOffset, position + MAX_BATCH_RECORDS);
    if (nextOffset <= position) return;
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
      batches: [encodeRecordBatch(position, records)],
    });
  }

  #record(n: number): NewRecord {
    const timestampMs = this.#options.startMs + Math.floor(n * 1000 / this.#options.rate);
    const { key, value } = this.#options.generator.record(n, timestampMs);
    return {
      timestampMs,
      key: this.#encoder.encode(key),
      value: typeof value === "string" ? this.#encoder.encode(value) : value,
    };
  }

  /** Number of events in a partition so far. */
  #endOffset(partition: number): number {
    const { partitions, rate, startMs } = this.#options;
    this.#events = Math.max(this.#events, Math.floor((Date.now() - startMs) * rate / 1000));
    return Math.max(0, Math.ceil((this.#events - partition) / partitions));
  }
}

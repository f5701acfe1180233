/**
 * A log and a sink in memory, for tests of the pipeline between them.
 * @module
 */

import { Condition } from "../../lib/async/condition.ts";
import type { LogView } from "../../lib/core/offsets/log_range.ts";
import type { Position } from "../../lib/core/offsets/positions.ts";
import type { Fetched, LogBatch } from "../../lib/core/records/log_batch.ts";
import { encodeRecordBatch, type NewRecord } from "../../lib/core/records/record_encoder.ts";
import type { BatchMark, Commit } from "../../lib/core/windowing/pending.ts";
import { FencedError, type Sink } from "../../lib/pipeline/sink.ts";
import type { Source, SourceReader } from "../../lib/pipeline/source.ts";
import { toLetters } from "./dead_letters.ts";

/** What a sink holds; shared by the sinks of several workers. */
export class MemoryStore {
  readonly counts = new Map<string, number>();
  readonly deadLetters = new Map<string, string>();
  readonly offsets = new Map<number, number>();
  readonly lastBatches = new Map<number, BatchMark>();
  /** Windows before it are deleted. */
  horizonMs = -Infinity;
}

export class MemorySink implements Sink {
  readonly store: MemoryStore;
  /** Called before and after each commit is stored; what it throws is thrown by the commit. */
  readonly #interfere: (moment: "before" | "after") => void | Promise<void>;

  constructor(
    store: MemoryStore,
    interfere: (moment: "before" | "after") => void | Promise<void> = () => {},
  ) {
    this.store = store;
    this.#interfere = interfere;
  }

  positions(logStarts: ReadonlyMap<number, number>): Promise<ReadonlyMap<number, Position>> {
    const { offsets } = this.store;
    for (const [partition, start] of logStarts) {
      if (!offsets.has(partition)) offsets.set(partition, start);
    }
    return Promise.resolve(
      new Map([...logStarts.keys()].map((id) => [
        id,
        { nextOffset: offsets.get(id)!, lastBatch: this.store.lastBatches.get(id) ?? null },
      ])),
    );
  }

  horizon(): Promise<number> {
    return Promise.resolve(this.store.horizonMs);
  }

  async commit({ partitions, counts, deadLetters }: Commit): Promise<void> {
    await this.#interfere("before");
    for (const { partition, expectedOffset } of partitions) {
      const stored = this.store.offsets.get(partition);
      if (stored !== expectedOffset) throw new FencedError(`${partition} is at ${stored}`);
    }
    if (counts.some(({ windowStartMs }) => windowStartMs < this.store.horizonMs)) {
      throw new FencedError("a window is deleted");
    }
    for (const { partition, nextOffset, lastBatch } of partitions) {
      this.store.offsets.set(partition, nextOffset);
      if (lastBatch) this.store.lastBatches.set(partition, lastBatch);
    }
    for (const { windowStartMs, lotteryName, eventType, count } of counts) {
      const key = JSON.stringify([windowStartMs, lotteryName, eventType]);
      this.store.counts.set(key, (this.store.counts.get(key) ?? 0) + count);
    }
    for (const { partition, offset, reason } of toLetters(deadLetters)) {
      const position = `${partition}/${offset}`;
      const { deadLetters: stored } = this.store;
      if (!stored.has(position)) stored.set(position, reason);
    }
    await this.#interfere("after");
  }

  advanceWatermark(): Promise<number | null> {
    return Promise.resolve(null);
  }
}

/** A batch that comes in two pieces, as a large one does while it is decompressed. */
function batchOf(baseOffset: number, records: readonly NewRecord[]): LogBatch {
  const { nextOffset, crc } = encodeRecordBatch(baseOffset, records);
  return {
    nextOffset,
    crc,
    async *pieces() {
      const half = Math.ceil(records.length / 2);
      for (let at = 0; at < records.length; at += half) {
        yield encodeRecordBatch(baseOffset + at, records.slice(at, at + half));
        await new Promise((resolve) => setTimeout(resolve)); // anything may happen in between
      }
    },
  };
}

/** Records of each partition; offset n is the n-th. */
export type MemoryLog = readonly (readonly NewRecord[])[];

export interface MemorySourceOptions {
  /** Records that one fetch gives at most. */
  readonly fetchSize?: number;
  /** First offset that the log still has. */
  readonly startOffset?: number;
  /** Changes what is fetched. */
  readonly altered?: (fetched: Fetched) => Fetched;
}

/** Reads a log that does not grow, in turns over the partitions, and then waits. */
export class MemorySource implements Source {
  readonly name = "Memory";
  readonly signsOfLife = new Map<number, number>();
  readonly throttledMs = 0;
  /** Partitions that cannot be read, and why. */
  readonly unavailable = new Map<number, string>();
  readonly acknowledged = new Map<number, number>();
  readonly #log: MemoryLog;
  readonly #fetchSize: number;
  readonly #altered: (fetched: Fetched) => Fetched;
  readonly #changed = new Condition();
  #startOffset: number;
  #positions = new Map<number, number>();
  #reader: SourceReader | null = null;

  constructor(
    log: MemoryLog,
    { fetchSize = 7, startOffset = 0, altered = (fetched) => fetched }: MemorySourceOptions = {},
  ) {
    this.#log = log;
    this.#altered = altered;
    this.#fetchSize = fetchSize;
    this.#startOffset = startOffset;
  }

  /** True once it has a reader. */
  get isReading(): boolean {
    return this.#reader !== null;
  }

  /** True if the reader was given the log up to its end. */
  get isAtEnd(): boolean {
    return this.#reader !== null && this.#next() === undefined;
  }

  async read(reader: SourceReader, signal: AbortSignal): Promise<void> {
    this.#reader = reader;
    this.assign(this.#log.map((_, partition) => partition));
    while (await this.#changed.until(() => this.#next() !== undefined, { signal })) {
      const [partition, position] = this.#next()!;
      const records = this.#log[partition]!.slice(position, position + this.#fetchSize);
      const nextOffset = position + records.length;
      // Behind the others, so that partitions take turns.
      this.#positions.delete(partition);
      this.#positions.set(partition, nextOffset);
      await this.fetch({ partition, fetchedOffset: position, records });
      await new Promise((resolve) => setTimeout(resolve)); // commits come in between, as with a broker
    }
  }

  /** Gives the reader other partitions, as a rebalance does. */
  assign(partitions: readonly number[]): void {
    this.#positions.clear();
    this.#reader!.assigned(partitions);
  }

  /** Hands over records as if they had been read at `fetchedOffset`. */
  async fetch(
    { partition, fetchedOffset, records }: {
      readonly partition: number;
      readonly fetchedOffset: number;
      readonly records: readonly NewRecord[];
    },
  ): Promise<void> {
    await this.#reader!.fetched(this.#altered({
      partition,
      fetchedOffset,
      nextOffset: fetchedOffset + records.length,
      endOffset: this.#log[partition]!.length,
      batches: [batchOf(fetchedOffset, records)],
    }));
  }

  /** Deletes the records before `offset`, as retention does. */
  deleteBefore(offset: number): void {
    this.#startOffset = offset;
  }

  resume(positions: ReadonlyMap<number, number>): void {
    for (const [partition, position] of positions) this.#positions.set(partition, position);
    this.#changed.notify();
  }

  viewLog(): Promise<LogView> {
    const ranges = new Map(this.#log.map((records, partition) => [
      partition,
      { startOffset: this.#startOffset, endOffset: records.length },
    ]));
    for (const partition of this.unavailable.keys()) ranges.delete(partition);
    return Promise.resolve({ ranges, unavailable: new Map(this.unavailable) });
  }

  isCompacted(): Promise<boolean> {
    return Promise.resolve(false);
  }

  renew(): void {}

  acknowledge(positions: ReadonlyMap<number, number>): void {
    for (const [partition, position] of positions) this.acknowledged.set(partition, position);
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  /** The partition whose turn it is. */
  #next(): [number, number] | undefined {
    return [...this.#positions].find(([partition, position]) =>
      !this.unavailable.has(partition) && position < this.#log[partition]!.length
    );
  }
}

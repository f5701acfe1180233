/**
 * A source that needs no Kafka: it reads a log whose records are generated.
 * @module
 */

import { delay } from "../../async/delay.ts";
import type { LogView } from "../../core/offsets/log_range.ts";
import type { Source, SourceReader } from "../../pipeline/source.ts";
import type { NumberedLog } from "./numbered_log.ts";

const POLL_MS = 100;
const MAX_BATCH_RECORDS = 5_000;

export class GeneratorSource implements Source {
  readonly name = "Generated events";
  readonly signsOfLife: ReadonlyMap<number, number> = new Map();
  readonly throttledMs = 0;
  readonly #log: NumberedLog;
  readonly #positions = new Map<number, number>();

  constructor(log: NumberedLog) {
    this.#log = log;
  }

  async read(reader: SourceReader, signal: AbortSignal): Promise<void> {
    this.#positions.clear(); // those of a reader before
    reader.assigned(this.#log.partitions);
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

  async viewLog(): Promise<LogView> {
    return { ranges: await this.#log.ranges(), unavailable: new Map() };
  }

  isCompacted(): Promise<boolean> {
    return this.#log.isCompacted();
  }

  renew(): void {}

  acknowledge(): void {}

  async [Symbol.asyncDispose](): Promise<void> {}

  /** Reads once. @returns true if more can be read at once. */
  async #readPartition(
    reader: SourceReader,
    { partition, position }: { readonly partition: number; readonly position: number },
  ): Promise<boolean> {
    const endOffset = this.#log.endOffset(partition);
    const nextOffset = Math.min(endOffset, position + MAX_BATCH_RECORDS);
    if (nextOffset <= position) return false;
    this.#positions.set(partition, nextOffset);
    await reader.fetched({
      partition,
      fetchedOffset: position,
      nextOffset,
      endOffset,
      batches: [this.#log.batch({ partition, from: position, to: nextOffset })],
    });
    return nextOffset < endOffset;
  }
}

/**
 * A file with one event a line as a log: partition 0, and a line's number is its offset.
 * @module
 */

import { Condition } from "../../async/condition.ts";
import type { AuditedLog } from "../../core/audit/audited_log.ts";
import { OperatorError } from "../../core/failure.ts";
import type { LogPart, LogRange, LogView } from "../../core/offsets/log_range.ts";
import { type LogBatch, logBatchOf } from "../../core/records/log_batch.ts";
import { encodeRecordBatches, type NewRecord } from "../../core/records/record_encoder.ts";
import type { Source, SourceReader } from "../../pipeline/source.ts";
import { type Line, linesOf } from "./lines.ts";

/** Stands for standard input in place of a path. */
export const STANDARD_INPUT = "-";

const PARTITION = 0;
/** A record's timestamp when it has none: a file says nothing about when its lines were written. */
const NO_TIMESTAMP = -1;

export class FileSource implements Source {
  readonly name = "File";
  readonly signsOfLife: ReadonlyMap<number, number> = new Map();
  readonly throttledMs = 0;
  readonly #path: string;
  readonly #changed = new Condition();
  #range: LogRange;
  /** Next line to read, once that is known. */
  #position: number | null = null;
  /** Aborts when reading has to end. */
  #signal = new AbortController().signal;
  /** Raised when reading has to restart at another line. */
  #seeks = 0;

  private constructor(path: string, range: LogRange) {
    this.#path = path;
    this.#range = range;
  }

  /** @throws {OperatorError} if the file cannot be read. */
  static async open(path: string): Promise<FileSource> {
    // The end of standard input is known when it has been read.
    let lines = 0;
    if (path !== STANDARD_INPUT) {
      for await (const chunk of linesOf(await openFile(path))) lines += chunk.length;
    }
    return new FileSource(path, { startOffset: 0, endOffset: lines });
  }

  /** The file as an audit reads it; standard input cannot be read again. */
  get auditedLog(): AuditedLog {
    return {
      isCompacted: () => this.isCompacted(),
      ranges: () => Promise.resolve(new Map([[PARTITION, this.#range]])),
      read: ({ from, to }: LogPart) => batchesOf(this.#path, { from, to }),
    };
  }

  /** Reads to the end of the file, and then waits for the signal: meanwhile its counts can be read. */
  async read(reader: SourceReader, signal: AbortSignal): Promise<void> {
    this.#signal = signal;
    reader.assigned([PARTITION]);
    let seen = 0;
    while (await this.#changed.until(() => this.#seeks !== seen, { signal })) {
      if (seen > 0 && this.#path === STANDARD_INPUT) {
        throw new OperatorError(
          "Cannot continue with standard input: it cannot be read a second time.",
        );
      }
      seen = this.#seeks;
      await this.#readFrom(this.#position!, {
        reader,
        isOver: () => signal.aborted || this.#seeks !== seen,
      });
    }
  }

  resume(positions: ReadonlyMap<number, number>): void {
    const position = positions.get(PARTITION);
    if (position === undefined) return;
    this.#position = position;
    this.#seeks++;
    this.#changed.notify();
  }

  viewLog(): Promise<LogView> {
    return Promise.resolve({
      ranges: new Map([[PARTITION, this.#range]]),
      unavailable: new Map(),
    });
  }

  isCompacted(): Promise<boolean> {
    return Promise.resolve(false);
  }

  renew(): void {}

  acknowledge(): void {}

  async [Symbol.asyncDispose](): Promise<void> {}

  /** Hands over each chunk of the file as it comes, so that a slow stream is counted at once. */
  async #readFrom(
    position: number,
    { reader, isOver }: { readonly reader: SourceReader; readonly isOver: () => boolean },
  ): Promise<void> {
    const signal = this.#signal;
    for await (const batch of batchesOf(this.#path, { from: position, signal })) {
      if (isOver()) return;
      await this.#handOver(batch, { reader, fetchedOffset: position });
      position = batch.at(-1)!.nextOffset;
    }
  }

  async #handOver(
    batches: readonly LogBatch[],
    { reader, fetchedOffset }: { readonly reader: SourceReader; readonly fetchedOffset: number },
  ): Promise<void> {
    const { nextOffset } = batches.at(-1)!;
    const endOffset = Math.max(this.#range.endOffset, nextOffset);
    this.#range = { startOffset: 0, endOffset };
    await reader.fetched({ partition: PARTITION, fetchedOffset, nextOffset, endOffset, batches });
  }
}

/** The lines from one on, or up to another, in the chunks in which they are read. */
async function* batchesOf(
  path: string,
  { from, to = Infinity, signal }: {
    readonly from: number;
    readonly to?: number;
    readonly signal?: AbortSignal;
  },
): AsyncGenerator<readonly LogBatch[]> {
  let lineNumber = 0;
  for await (const chunk of linesOf(await openFile(path), signal)) {
    const lines = chunk.slice(Math.max(0, from - lineNumber), Math.max(0, to - lineNumber));
    const offset = Math.max(from, lineNumber);
    lineNumber += chunk.length;
    if (lines.length > 0) {
      yield [logBatchOf(...encodeRecordBatches(offset, lines.map(toRecord)))];
    }
    if (lineNumber >= to) return;
  }
}

function toRecord(line: Line): NewRecord {
  return { timestampMs: NO_TIMESTAMP, key: null, ...line };
}

/**
 * A name for a file that another file does not have: its path and a hash of its first line,
 * which stays when lines are added.
 */
export async function fileIdentity(path: string): Promise<string> {
  if (path === STANDARD_INPUT) return `standard input ${crypto.randomUUID()}`;
  for await (const [line] of linesOf(await openFile(path))) {
    if (!line) continue; // longer than a chunk
    const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", line.value.slice()));
    return `${await Deno.realPath(path)} ${hash.slice(0, 8).toHex()}`;
  }
  throw new OperatorError(`Cannot count the file ${path}: it is empty.`);
}

async function openFile(path: string): Promise<ReadableStream<Uint8Array>> {
  if (path === STANDARD_INPUT) return Deno.stdin.readable;
  try {
    if ((await Deno.stat(path)).isFile) return (await Deno.open(path)).readable;
  } catch (error) {
    throw new OperatorError(`Cannot read the file ${path}. Check the path given with --file`, {
      cause: error,
    });
  }
  throw new OperatorError(
    `Cannot read ${path}: it is not a file. Check the path given with --file`,
  );
}

/**
 * The dead letters of one commit, column by column, so that a flood of them does not become as many objects.
 * @module
 */

import {
  type Cut,
  decodeHeaders,
  type NewSha256,
  type RecordCursor,
  type RecordHeader,
} from "../records/record_batch.ts";
import type { DeadLetterReason } from "./dead_letter.ts";

/** Memory of a letter besides its key, value and headers. */
const BYTES_PER_LETTER = 80;
/** How much larger headers become on their way to the database, if they are many small ones. */
const HEADERS_GROW = 12;
const FIRST_LETTERS = 64;
const FIRST_BYTES = 4 << 10;

const NO_HEADERS: readonly RecordHeader[] = [];

/** What of a record is kept. */
type RecordParts =
  | "offset"
  | "timestampMs"
  | "bytes"
  | "keyStart"
  | "keyEnd"
  | "valueStart"
  | "valueEnd"
  | "headerBytes"
  | "cut";

/** Element n of each column belongs to letter n. */
export class DeadLetters {
  readonly #partitions = new Numbers();
  readonly #offsets = new Numbers();
  readonly #recordTimestampsMs = new Numbers();
  readonly #keyLengths = new Numbers();
  readonly #valueLengths = new Numbers();
  readonly #headerLengths = new Numbers();
  readonly reasons: DeadLetterReason[] = [];
  /** What letter n has lost, if it was too large to be kept. */
  readonly cuts = new Map<number, Cut>();
  readonly #contents = new Bytes();
  readonly #headers = new Bytes();

  get length(): number {
    return this.reasons.length;
  }

  /** Rough number of bytes that this keeps in memory. */
  get bytes(): number {
    return this.length * BYTES_PER_LETTER + this.#contents.length +
      this.#headers.length * HEADERS_GROW;
  }

  get partitions(): Float64Array {
    return this.#partitions.values;
  }

  get offsets(): Float64Array {
    return this.#offsets.values;
  }

  get recordTimestampsMs(): Float64Array {
    return this.#recordTimestampsMs.values;
  }

  /** NaN without a key. */
  get keyLengths(): Float64Array {
    return this.#keyLengths.values;
  }

  /** NaN without a value. */
  get valueLengths(): Float64Array {
    return this.#valueLengths.values;
  }

  /** Key and value of each letter, one after the other. */
  get contents(): Uint8Array {
    return this.#contents.values;
  }

  /** The headers of each letter, made into objects only as they are taken: there may be many. */
  *headers(): Generator<readonly RecordHeader[]> {
    const bytes = this.#headers.values;
    let at = 0;
    for (const length of this.#headerLengths.values) {
      yield length === 0 ? NO_HEADERS : decodeHeaders(bytes.subarray(at, at + length));
      at += length;
    }
  }

  /** Adds the cursor's record; copies it, because its bytes belong to a whole fetch. */
  add(
    cursor: Readonly<Pick<RecordCursor, RecordParts>>,
    { partition, reason, newSha256 }: {
      readonly partition: number;
      readonly reason: DeadLetterReason;
      readonly newSha256: NewSha256;
    },
  ): void {
    const cut = cursor.cut(newSha256);
    if (cut) this.cuts.set(this.length, cut);
    this.#partitions.push(partition);
    this.#offsets.push(cursor.offset);
    this.#recordTimestampsMs.push(cursor.timestampMs);
    this.#keyLengths.push(this.#append(cursor.bytes, cursor.keyStart, cursor.keyEnd));
    this.#valueLengths.push(this.#append(cursor.bytes, cursor.valueStart, cursor.valueEnd));
    const headers = cursor.headerBytes();
    this.#headerLengths.push(hasHeaders(headers) ? this.#headers.push(headers) : 0);
    this.reasons.push(reason);
  }

  countByReason(): Map<DeadLetterReason, number> {
    const counts = new Map<DeadLetterReason, number>();
    for (const reason of this.reasons) counts.set(reason, (counts.get(reason) ?? 0) + 1);
    return counts;
  }

  /** @returns the length of `[start, end)`; NaN for null. */
  #append(source: Uint8Array, start: number, end: number): number {
    if (start < 0) return NaN;
    return this.#contents.push(source.subarray(start, end));
  }
}

/** They begin with the number of headers: one byte, zero, without headers. */
function hasHeaders(headerBytes: Uint8Array): boolean {
  return headerBytes.length > 1;
}

class Bytes {
  #bytes = new Uint8Array();
  length = 0;

  get values(): Uint8Array {
    return this.#bytes.subarray(0, this.length);
  }

  push(added: Uint8Array): number {
    const length = this.length + added.length;
    if (length > this.#bytes.length) {
      this.#bytes = new Uint8Array(this.#bytes.buffer.transfer(Math.max(FIRST_BYTES, 2 * length)));
    }
    this.#bytes.set(added, this.length);
    this.length = length;
    return added.length;
  }
}

/** A list of numbers outside the garbage collector's heap. */
class Numbers {
  #values = new Float64Array();
  #length = 0;

  get values(): Float64Array {
    return this.#values.subarray(0, this.#length);
  }

  push(value: number): void {
    if (this.#length === this.#values.length) {
      const length = Math.max(FIRST_LETTERS, 2 * this.#length);
      const bytes = this.#values.buffer.transfer(length * Float64Array.BYTES_PER_ELEMENT);
      this.#values = new Float64Array(bytes);
    }
    this.#values[this.#length++] = value;
  }
}

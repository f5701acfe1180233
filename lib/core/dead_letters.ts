/**
 * The dead letters of one commit, column by column: a flood of them does not become as many objects.
 * @module
 */

import type { DeadLetterReason } from "./dead_letter.ts";
import type { Cut, NewSha256, RecordCursor, RecordHeader } from "./record_batch.ts";

/** Memory of a letter besides its key, value and headers. */
const BYTES_PER_LETTER = 80;
/** Memory of a header besides its key and value. */
const BYTES_PER_HEADER = 200;
const FIRST_LETTERS = 64;
const FIRST_CONTENTS = 4 << 10;

/** What of a record is kept. */
type RecordParts =
  | "offset"
  | "timestampMs"
  | "bytes"
  | "keyStart"
  | "keyEnd"
  | "valueStart"
  | "valueEnd"
  | "headers"
  | "cut";

/** A list to which letters are added. Element n of each column belongs to letter n. */
export class DeadLetters {
  readonly #partitions = new Numbers();
  readonly #offsets = new Numbers();
  readonly #recordTimestampsMs = new Numbers();
  readonly #keyLengths = new Numbers();
  readonly #valueLengths = new Numbers();
  readonly reasons: DeadLetterReason[] = [];
  /** Those of letter n, if it has any. */
  readonly headers = new Map<number, readonly RecordHeader[]>();
  /** What letter n has lost, if it was too large to be kept. */
  readonly cuts = new Map<number, Cut>();
  #contents = new Uint8Array();
  #end = 0;
  #headerBytes = 0;

  get length(): number {
    return this.reasons.length;
  }

  /** Rough number of bytes that this keeps in memory. */
  get bytes(): number {
    return this.length * BYTES_PER_LETTER + this.#end + this.#headerBytes;
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

  /** NaN where there is no key. */
  get keyLengths(): Float64Array {
    return this.#keyLengths.values;
  }

  /** NaN where there is no value. */
  get valueLengths(): Float64Array {
    return this.#valueLengths.values;
  }

  /** Key and value of each letter, one after the other. */
  get contents(): Uint8Array {
    return this.#contents.subarray(0, this.#end);
  }

  /** Adds the record on which the cursor stands; copies, because its bytes belong to a whole fetch. */
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
    this.#addHeaders(cursor.headers());
    this.reasons.push(reason);
  }

  /** How many letters there are of each reason. */
  countByReason(): Map<DeadLetterReason, number> {
    const counts = new Map<DeadLetterReason, number>();
    for (const reason of this.reasons) counts.set(reason, (counts.get(reason) ?? 0) + 1);
    return counts;
  }

  #addHeaders(headers: readonly RecordHeader[]): void {
    if (headers.length === 0) return;
    this.headers.set(this.length, headers);
    for (const { key, value } of headers) {
      this.#headerBytes += BYTES_PER_HEADER + key.length + (value?.length ?? 0);
    }
  }

  /** @returns the length of `[start, end)`; NaN if there is nothing. */
  #append(source: Uint8Array, start: number, end: number): number {
    if (start < 0) return NaN;
    const length = end - start;
    if (this.#end + length > this.#contents.length) {
      const contents = new Uint8Array(Math.max(FIRST_CONTENTS, 2 * (this.#end + length)));
      contents.set(this.contents);
      this.#contents = contents;
    }
    this.#contents.set(source.subarray(start, end), this.#end);
    this.#end += length;
    return length;
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
      const values = new Float64Array(Math.max(FIRST_LETTERS, 2 * this.#length));
      values.set(this.#values);
      this.#values = values;
    }
    this.#values[this.#length++] = value;
  }
}

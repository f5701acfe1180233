/**
 * Records that are too large to be held: the beginning of each part is kept, with its true size
 * and a hash of everything.
 * @module
 */

import {
  type Cut,
  type Hash,
  MAX_HEADERS,
  MAX_PART_BYTES,
  type RecordHeader,
} from "./record_batch.ts";
import { MAX_VARINT_BYTES, VarintReader } from "./varint_reader.ts";

export interface LargeRecord {
  readonly timestampDelta: number;
  readonly offsetDelta: number;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  /** The first ones, each complete. */
  readonly headers: readonly RecordHeader[];
  /** Null if nothing is missing. */
  readonly cut: Cut | null;
  /** How many bytes of the last ones given belong to what follows the record. */
  readonly unread: number;
}

/** A part of a record: as much of it as is kept, and its size. */
interface Part {
  readonly bytes: Uint8Array;
  readonly size: number;
}

/**
 * Reads one record, its length first, out of bytes that come piece by piece: `next(bytes)` gives
 * it more until it returns the record.
 * @throws what `malformed` makes, if its parts do not fill it exactly.
 */
export function* readLargeRecord(
  sha256: Hash,
  malformed: () => Error,
): Generator<void, LargeRecord, Uint8Array> {
  const input = new Input(sha256, malformed);
  const length = yield* input.number();
  const end = input.position + length;
  yield* input.part(1, 0); // attributes: unused by Kafka
  const timestampDelta = yield* input.number();
  const offsetDelta = yield* input.number();

  input.beginHash();
  const key = yield* input.partOrNull(end);
  const value = yield* input.partOrNull(end);
  const headersAt = input.position;
  const { headers, isWhole } = yield* readHeaders(input, end);
  if (isWhole && input.position !== end) throw malformed();
  yield* input.part(end - input.position, 0);
  input.endHash();

  const isCut = !isWhole || isLonger(key) || isLonger(value);
  return {
    timestampDelta,
    offsetDelta,
    key: key?.bytes ?? null,
    value: value?.bytes ?? null,
    headers,
    cut: isCut
      ? {
        keySize: key?.size ?? null,
        valueSize: value?.size ?? null,
        headersSize: end - headersAt,
        sha256: sha256.digest(),
      }
      : null,
    unread: input.unread,
  };
}

/** The headers that are kept, and whether these are all. */
function* readHeaders(
  input: Input,
  end: number,
): Generator<void, { headers: RecordHeader[]; isWhole: boolean }, Uint8Array> {
  const count = yield* input.number();
  const headers: RecordHeader[] = [];
  let room = MAX_PART_BYTES;
  for (let left = count; left > 0; left--) {
    const key = (yield* input.partOrNull(end, room)) ?? NOTHING;
    const value = yield* input.partOrNull(end, Math.max(0, room - key.size));
    room -= key.size + (value?.size ?? 0);
    if (room < 0 || headers.length === MAX_HEADERS) return { headers, isWhole: false };
    headers.push({ key: key.bytes, value: value?.bytes ?? null });
  }
  return { headers, isWhole: true };
}

const NOTHING: Part = { bytes: new Uint8Array(), size: 0 };

function isLonger(part: Part | null): boolean {
  return part !== null && part.size > part.bytes.length;
}

/** Bytes that come piece by piece, read as numbers and parts. */
class Input {
  position = 0;
  readonly #hash: Hash;
  readonly #malformed: () => Error;
  #bytes: Uint8Array = new Uint8Array();
  #at = 0;
  /** First of the bytes that are still to be hashed; −1 while nothing is. */
  #hashFrom = -1;

  constructor(hash: Hash, malformed: () => Error) {
    this.#hash = hash;
    this.#malformed = malformed;
  }

  get unread(): number {
    return this.#bytes.length - this.#at;
  }

  beginHash(): void {
    this.#hashFrom = this.#at;
  }

  endHash(): void {
    this.#hash.update(this.#bytes.subarray(this.#hashFrom, this.#at));
    this.#hashFrom = -1;
  }

  *number(): Generator<void, number, Uint8Array> {
    const bytes: number[] = [];
    do {
      if (this.unread === 0) yield* this.#more();
      bytes.push(this.#bytes[this.#at++]!);
      this.position++;
    } while (bytes.at(-1)! >= 0x80 && bytes.length <= MAX_VARINT_BYTES);
    return new VarintReader(Uint8Array.from(bytes), this.#malformed).int64();
  }

  /** A part with its length in front, at most `maxKept` bytes of it kept; null for a negative length. */
  *partOrNull(
    end: number,
    maxKept = MAX_PART_BYTES,
  ): Generator<void, Part | null, Uint8Array> {
    const size = yield* this.number();
    if (size < 0) return null;
    if (this.position + size > end) throw this.#malformed();
    return yield* this.part(size, maxKept);
  }

  *part(size: number, maxKept: number): Generator<void, Part, Uint8Array> {
    if (size < 0) throw this.#malformed();
    const kept = new Uint8Array(Math.min(size, maxKept));
    for (let done = 0; done < size;) {
      if (this.unread === 0) yield* this.#more();
      const step = Math.min(size - done, this.unread);
      if (done < kept.length) {
        const end = this.#at + Math.min(step, kept.length - done);
        kept.set(this.#bytes.subarray(this.#at, end), done);
      }
      this.#at += step;
      this.position += step;
      done += step;
    }
    return { bytes: kept, size };
  }

  *#more(): Generator<void, void, Uint8Array> {
    if (this.#hashFrom >= 0) this.#hash.update(this.#bytes.subarray(this.#hashFrom));
    while (this.unread === 0) {
      this.#bytes = yield;
      this.#at = 0;
    }
    if (this.#hashFrom >= 0) this.#hashFrom = 0;
  }
}

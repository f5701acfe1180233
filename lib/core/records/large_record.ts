/**
 * Records that are too large to be held: of each part the beginning is kept, with its true size
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

/** What is kept of a record. */
export interface LargeRecord {
  readonly timestampDelta: number;
  readonly offsetDelta: number;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  /** The first ones, each whole. */
  readonly headers: readonly RecordHeader[];
  /** Null if nothing is missing. */
  readonly cut: Cut | null;
  /** How many bytes of the last ones given belong to what follows the record. */
  readonly unread: number;
}

/** Thrown where a length cannot be right. */
export class MalformedRecordError extends Error {
  override readonly name = "MalformedRecordError";
}

/** A part of a record: as much of it as is kept, and its size. */
interface Part {
  readonly bytes: Uint8Array;
  readonly size: number;
}

/**
 * Reads one record, its length first, out of bytes that come piece by piece: `next(bytes)` gives
 * it more until it returns the record.
 * @throws {MalformedRecordError} if its parts do not fill it exactly.
 */
export function* readLargeRecord(sha256: Hash): Generator<void, LargeRecord, Uint8Array> {
  const input = new Input(sha256);
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
  if (isWhole && input.position !== end) throw new MalformedRecordError();
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
  /** Bytes read so far. */
  position = 0;
  readonly #hash: Hash;
  #bytes: Uint8Array = new Uint8Array();
  #at = 0;
  /** First of the bytes that are still to be hashed; −1 while nothing is. */
  #hashFrom = -1;

  constructor(hash: Hash) {
    this.#hash = hash;
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

  /** Zig-zag number, exact below 2^53. */
  *number(): Generator<void, number, Uint8Array> {
    let value = 0;
    for (let scale = 1;; scale *= 0x80) {
      if (scale > 2 ** 63) throw new MalformedRecordError();
      if (this.unread === 0) yield* this.#more();
      const byte = this.#bytes[this.#at++]!;
      this.position++;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
    }
  }

  /** What a length announces, of which at most `mostKept` bytes are kept; null for a negative length. */
  *partOrNull(
    end: number,
    mostKept = MAX_PART_BYTES,
  ): Generator<void, Part | null, Uint8Array> {
    const size = yield* this.number();
    if (size < 0) return null;
    if (this.position + size > end) throw new MalformedRecordError();
    return yield* this.part(size, mostKept);
  }

  *part(size: number, mostKept: number): Generator<void, Part, Uint8Array> {
    if (size < 0) throw new MalformedRecordError();
    const kept = new Uint8Array(Math.min(size, mostKept));
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

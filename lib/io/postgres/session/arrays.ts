/**
 * Arrays as parameters in PostgreSQL's binary form. In the text form, which the driver makes of
 * a JavaScript array, quoting took more time than anything else in a commit of many rows.
 * @see https://www.postgresql.org/docs/current/libpq-exec.html (binary parameters)
 * @module
 */

import { Buffer } from "node:buffer";

const HEADER_BYTES = 20;
const LENGTH_BYTES = 4;
const NULL_LENGTH = -1;

/** Object identifiers of the elements' types. */
const BOOLEAN = 16;
const BYTEA = 17;
const BIGINT = 20;
const INTEGER = 23;
const TEXT = 25;
const JSONB = 3802;

/** Numbers, of which null and NaN become null. */
type Numbers = ArrayLike<number | null>;

export function booleans(values: readonly boolean[]): Buffer {
  const { buffer, view } = newArray(BOOLEAN, values.length, values.length);
  let at = HEADER_BYTES;
  for (const value of values) {
    view.setInt32(at, 1);
    view.setUint8(at + LENGTH_BYTES, value ? 1 : 0);
    at += LENGTH_BYTES + 1;
  }
  return buffer;
}

export function integers(values: Numbers): Buffer {
  return numbers(INTEGER, 4, values, (view, at, value) => view.setInt32(at, value));
}

/** Exact for safe integers. */
export function bigints(values: Numbers): Buffer {
  return numbers(BIGINT, 8, values, (view, at, value) => {
    view.setInt32(at, Math.floor(value / 2 ** 32));
    view.setInt32(at + 4, value | 0);
  });
}

export function texts(values: readonly string[]): Buffer {
  return strings(TEXT, new Uint8Array(), values);
}

/** @param values JSON texts, or null. */
export function jsonbs(values: readonly (string | null)[]): Buffer {
  return strings(JSONB, JSONB_VERSION, values);
}

export function byteas(values: readonly (Uint8Array | null)[]): Buffer {
  const size = values.reduce((sum, value) => sum + (value?.length ?? 0), 0);
  const { buffer, view } = newArray(BYTEA, values.length, size);
  let at = HEADER_BYTES;
  for (const value of values) {
    view.setInt32(at, value?.length ?? NULL_LENGTH);
    at += LENGTH_BYTES;
    if (!value) continue;
    buffer.set(value, at);
    at += value.length;
  }
  return buffer;
}

const JSONB_VERSION = new Uint8Array([1]);

function numbers(
  type: number,
  size: number,
  values: Numbers,
  write: (view: DataView, at: number, value: number) => void,
): Buffer {
  const { length } = values;
  const { buffer, view } = newArray(type, length, length * size);
  let at = HEADER_BYTES;
  for (let n = 0; n < length; n++) {
    const value = values[n]!;
    if (value === null || Number.isNaN(value)) {
      view.setInt32(at, NULL_LENGTH);
      at += LENGTH_BYTES;
      continue;
    }
    view.setInt32(at, size);
    write(view, at + LENGTH_BYTES, value);
    at += LENGTH_BYTES + size;
  }
  return buffer.subarray(0, at);
}

/** Each element is `prefix` and a string, or null. A string like the one before it is copied. */
function strings(type: number, prefix: Uint8Array, values: readonly (string | null)[]): Buffer {
  let size = 0;
  let last: string | null = null;
  let lastSize = 0;
  for (const value of values) {
    if (value === null) continue;
    if (value !== last) lastSize = prefix.length + Buffer.byteLength(last = value);
    size += lastSize;
  }
  const { buffer, view } = newArray(type, values.length, size);
  let at = HEADER_BYTES;
  let lastAt = 0;
  last = null;
  for (const value of values) {
    if (value === null) {
      view.setInt32(at, NULL_LENGTH);
      at += LENGTH_BYTES;
      continue;
    }
    if (value === last) {
      for (let end = lastAt + LENGTH_BYTES + lastSize, from = lastAt; from < end; from++, at++) {
        buffer[at] = buffer[from]!;
      }
      continue;
    }
    lastAt = at;
    at += LENGTH_BYTES;
    buffer.set(prefix, at);
    lastSize = prefix.length + buffer.write(value, at + prefix.length);
    view.setInt32(lastAt, lastSize);
    at += lastSize;
    last = value;
  }
  return buffer;
}

/** An array of one dimension with room for its elements. */
function newArray(
  type: number,
  length: number,
  size: number,
): { readonly buffer: Buffer; readonly view: DataView } {
  const bytes = new ArrayBuffer(HEADER_BYTES + length * LENGTH_BYTES + size);
  const view = new DataView(bytes);
  view.setInt32(0, 1); // dimensions
  view.setInt32(4, 1); // there may be nulls
  view.setInt32(8, type);
  view.setInt32(12, length);
  view.setInt32(16, 1); // index of the first element
  return { buffer: Buffer.from(bytes), view };
}

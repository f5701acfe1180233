/**
 * How to divide decompressed bytes, so that only a few of them are in memory at a time.
 * @module
 */

/** Anything larger, once decompressed, is never held as a whole. */
export const MAX_WHOLE_BYTES = 4 << 20;
/** Approximate size of its chunks. */
export const CHUNK_BYTES = 1 << 20;

/** How far back LZ4 and Snappy copy from. */
const WINDOW_BYTES = 64 << 10;

/** The bytes that the next chunk may copy from, as a copy, because a chunk is large. */
export function windowAfter(window: Uint8Array, chunk: Uint8Array): Uint8Array {
  if (chunk.length >= WINDOW_BYTES) return chunk.slice(-WINDOW_BYTES);
  const kept = window.subarray(Math.max(0, window.length + chunk.length - WINDOW_BYTES));
  const joined = new Uint8Array(kept.length + chunk.length);
  joined.set(kept);
  joined.set(chunk, kept.length);
  return joined;
}

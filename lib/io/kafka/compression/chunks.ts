/**
 * How decompressed bytes are divided, so that little of them is held at a time.
 * @module
 */

/** What is larger when it is decompressed is never held as a whole. */
export const MAX_WHOLE_BYTES = 4 << 20;
/** Size of the chunks that it comes in, roughly. */
export const CHUNK_BYTES = 1 << 20;

/** How far back LZ4 and Snappy copy from. */
const WINDOW_BYTES = 64 << 10;

/** The last bytes before the next chunk, which it may copy from; a copy, because a chunk is large. */
export function windowAfter(window: Uint8Array, chunk: Uint8Array): Uint8Array {
  if (chunk.length >= WINDOW_BYTES) return chunk.slice(-WINDOW_BYTES);
  const kept = window.subarray(Math.max(0, window.length + chunk.length - WINDOW_BYTES));
  const joined = new Uint8Array(kept.length + chunk.length);
  joined.set(kept);
  joined.set(chunk, kept.length);
  return joined;
}

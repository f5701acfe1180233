/**
 * The compression codecs and the checksum of Kafka's record batches.
 *
 * A megabyte may become a gigabyte: small data is decompressed at once, anything else chunk by
 * chunk on demand.
 * @module
 */

import type { Buffer } from "node:buffer";
import { createGunzip, createZstdDecompress, gunzipSync, zstdDecompressSync } from "node:zlib";
import type { Chunks } from "../../../core/records/record_splitter.ts";
import { CHUNK_BYTES, MAX_WHOLE_BYTES } from "./chunks.ts";
import { lz4 } from "./lz4.ts";
import { snappy } from "./snappy.ts";

export { crc32c } from "@platformatic/wasm-utils/bundled";

const LIMIT = { maxOutputLength: MAX_WHOLE_BYTES };
const CHUNKED = { chunkSize: CHUNK_BYTES };

/** Codecs by their number in the attributes of a batch. */
const CODECS: readonly ((bytes: Buffer) => Chunks)[] = [
  (bytes) => [bytes],
  (bytes) => whole(() => gunzipSync(bytes, LIMIT)) ?? streamed(createGunzip(CHUNKED), bytes),
  snappy,
  lz4,
  (bytes) =>
    whole(() => zstdDecompressSync(bytes, LIMIT)) ?? streamed(createZstdDecompress(CHUNKED), bytes),
];

/**
 * Decompresses bytes, at once or chunk by chunk.
 * @throws {RangeError} for a codec that is not among these.
 */
export function decompress(bytes: Buffer, codec: number): Chunks {
  const decode = CODECS[codec];
  if (!decode) {
    throw new RangeError(
      `a producer uses the unknown compression codec ${codec}. ` +
        "Set its compression.type to none, gzip, snappy, lz4 or zstd",
    );
  }
  return decode(bytes);
}

/** The result in one chunk, or null if it is too large for that. */
function whole(decode: () => Uint8Array): Chunks | null {
  try {
    return [decode()];
  } catch (error) {
    if ((error as { readonly code?: unknown }).code === "ERR_BUFFER_TOO_LARGE") return null;
    throw error;
  }
}

/** The output of a stream; leaving the loop closes it. */
async function* streamed(
  stream: ReturnType<typeof createGunzip | typeof createZstdDecompress>,
  bytes: Buffer,
): AsyncGenerator<Uint8Array> {
  stream.end(bytes);
  yield* stream;
}

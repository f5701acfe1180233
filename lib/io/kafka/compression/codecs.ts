/**
 * The compression codecs and the checksum of Kafka's record batches.
 * @module
 */

import { Buffer } from "node:buffer";
import { gunzipSync, zstdDecompressSync } from "node:zlib";
import { lz4Decompress, snappyDecompress } from "@platformatic/wasm-utils/bundled";
import { OperatorError } from "../../core/failure.ts";

export { crc32c } from "@platformatic/wasm-utils/bundled";

/** Codecs by the number that a batch's attributes hold. */
const CODECS: readonly ((bytes: Buffer) => Uint8Array)[] = [
  (bytes) => bytes,
  (bytes) => gunzipSync(bytes),
  snappy,
  (bytes) => lz4Decompress(bytes),
  (bytes) => zstdDecompressSync(bytes),
];

/** @throws {OperatorError} for a codec that Kafka did not have when this was written. */
export function decompress(bytes: Buffer, codec: number): Uint8Array {
  const decode = CODECS[codec];
  if (!decode) {
    throw new OperatorError(
      `Cannot read the topic: a producer uses the unknown compression codec ${codec}. ` +
        "Set the producer's compression.type to none, gzip, snappy, lz4 or zstd.",
    );
  }
  return decode(bytes);
}

/** What Java producers put before snappy: a name, and two version numbers of four bytes. */
const XERIAL_NAME = Buffer.from([0x82, ...Buffer.from("SNAPPY"), 0]);
const XERIAL_HEADER_LENGTH = XERIAL_NAME.length + 8;

/** Snappy as one block, which is how most clients write it, or as Java's framed blocks. */
function snappy(bytes: Buffer): Uint8Array {
  if (!bytes.subarray(0, XERIAL_NAME.length).equals(XERIAL_NAME)) return snappyDecompress(bytes);
  const blocks: Buffer[] = [];
  for (let at = XERIAL_HEADER_LENGTH; at < bytes.length;) {
    const start = at + 4;
    at = start + bytes.readUInt32BE(start - 4);
    blocks.push(snappyDecompress(bytes.subarray(start, at)));
  }
  return Buffer.concat(blocks);
}

/**
 * LZ4 frames. The library decompresses a frame as a whole, so a large one is cut into smaller
 * ones here, each beginning with the bytes that its blocks may refer back to.
 * @see https://github.com/lz4/lz4/blob/dev/doc/lz4_Frame_format.md
 * @module
 */

import { lz4Decompress } from "@platformatic/wasm-utils/bundled";
import { Buffer } from "node:buffer";
import type { Chunks } from "../../../core/records/record_splitter.ts";
import { CHUNK_BYTES, MAX_WHOLE_BYTES, windowAfter } from "./chunks.ts";

const MAGIC = 0x184d2204;
const FLAGS_AT = 4;
const BLOCK_SIZE_AT = 5;
const CONTENT_SIZE_AT = 6;
/** Magic, flags, block size and their checksum, without the optional fields. */
const MIN_HEADER_LENGTH = 7;

const BLOCK_CHECKSUM_FLAG = 0x10;
const CONTENT_SIZE_FLAG = 0x08;
const DICTIONARY_FLAG = 0x01;
const STORED_FLAG = 0x8000_0000;

/** One compressed byte becomes at most this many. */
const MAX_RATIO = 255;

/** The header of a frame of linked blocks of up to 4 MiB. */
const LINKED_HEADER = Buffer.from([0x04, 0x22, 0x4d, 0x18, 0x40, 0x70, 0xdf]);
const END_MARK = Buffer.alloc(4);

/** A block with its size in front, and the most bytes it can become. */
interface Block {
  readonly bytes: Buffer;
  readonly maxBytes: number;
}

export function lz4(frame: Buffer): Chunks {
  if (frame.length < MIN_HEADER_LENGTH || frame.readUInt32LE() !== MAGIC) {
    throw new RangeError("it is not an LZ4 frame");
  }
  const blocks = blocksOf(frame);
  const maxBytes = blocks.reduce((sum, block) => sum + block.maxBytes, 0);
  // The library allocates whatever size a frame announces.
  return maxBytes <= MAX_WHOLE_BYTES && contentSize(frame) <= MAX_WHOLE_BYTES
    ? [lz4Decompress(frame)]
    : cut(blocks);
}

function contentSize(frame: Buffer): number {
  return frame[FLAGS_AT]! & CONTENT_SIZE_FLAG ? Number(frame.readBigUInt64LE(CONTENT_SIZE_AT)) : 0;
}

function blocksOf(frame: Buffer): Block[] {
  const flags = frame[FLAGS_AT]!;
  const maxBlockBytes = 1 << (8 + 2 * ((frame[BLOCK_SIZE_AT]! >> 4) & 7));
  const checksumLength = flags & BLOCK_CHECKSUM_FLAG ? 4 : 0;
  const blocks: Block[] = [];
  let at = MIN_HEADER_LENGTH + (flags & CONTENT_SIZE_FLAG ? 8 : 0) +
    (flags & DICTIONARY_FLAG ? 4 : 0);
  for (let word = frame.readUInt32LE(at); word !== 0; word = frame.readUInt32LE(at)) {
    const length = word % STORED_FLAG;
    const end = at + 4 + length;
    const maxBytes = Math.min(
      maxBlockBytes,
      word >= STORED_FLAG ? length : length * MAX_RATIO,
    );
    blocks.push({ bytes: frame.subarray(at, end), maxBytes });
    at = end + checksumLength;
  }
  return blocks;
}

/** Decompresses a few blocks at a time. */
function* cut(blocks: readonly Block[]): Generator<Uint8Array> {
  let window: Uint8Array = new Uint8Array();
  for (let at = 0; at < blocks.length;) {
    const part: Buffer[] = [];
    for (let size = 0; at < blocks.length && size < CHUNK_BYTES; at++) {
      part.push(blocks[at]!.bytes);
      size += blocks[at]!.maxBytes;
    }
    const decompressed = lz4Decompress(
      Buffer.concat([LINKED_HEADER, ...storedBlock(window), ...part, END_MARK]),
    );
    const chunk = decompressed.subarray(window.length);
    yield chunk;
    window = windowAfter(window, chunk);
  }
}

/** A block of uncompressed bytes. */
function storedBlock(bytes: Uint8Array): Uint8Array[] {
  if (bytes.length === 0) return [];
  const size = Buffer.alloc(4);
  size.writeUInt32LE(STORED_FLAG + bytes.length);
  return [size, bytes];
}

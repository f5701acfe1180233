/**
 * Snappy as one block, as most clients write it, or as Java's framed blocks.
 *
 * The library decompresses a block as a whole, and allocates whatever size it announces. So a
 * large block is cut into smaller ones here, each beginning with the bytes that its copies may
 * refer back to.
 * @see https://github.com/google/snappy/blob/main/format_description.txt
 * @module
 */

import { snappyDecompress } from "@platformatic/wasm-utils/bundled";
import { Buffer } from "node:buffer";
import type { Chunks } from "../../../core/records/record_splitter.ts";
import { CHUNK_BYTES, MAX_WHOLE_BYTES, windowAfter } from "./chunks.ts";

/** Header of Java producers: a name, and two version numbers of four bytes. */
const XERIAL_NAME = Buffer.from([0x82, ...Buffer.from("SNAPPY"), 0]);
const XERIAL_HEADER_LENGTH = XERIAL_NAME.length + 8;

export function snappy(bytes: Buffer): Chunks {
  const isFramed = bytes.subarray(0, XERIAL_NAME.length).equals(XERIAL_NAME);
  const blocks = isFramed ? framedBlocks(bytes) : [bytes];
  const size = blocks.reduce((sum, block) => sum + announcedSize(block).size, 0);
  if (size > MAX_WHOLE_BYTES) return cutAll(blocks);
  const decompressed = blocks.map(snappyDecompress);
  return decompressed.length === 1 ? decompressed : [Buffer.concat(decompressed)];
}

function framedBlocks(bytes: Buffer): Buffer[] {
  const blocks: Buffer[] = [];
  for (let at = XERIAL_HEADER_LENGTH; at < bytes.length;) {
    const start = at + 4;
    at = start + bytes.readUInt32BE(start - 4);
    if (at > bytes.length) throw truncated();
    blocks.push(bytes.subarray(start, at));
  }
  return blocks;
}

/** The size that a block begins with, and the position of its elements. */
function announcedSize(block: Buffer): { readonly size: number; readonly end: number } {
  let size = 0;
  for (let at = 0, scale = 1; at < block.length && at < 5; at++, scale *= 0x80) {
    const byte = block[at]!;
    size += (byte & 0x7f) * scale;
    if (byte < 0x80) return { size, end: at + 1 };
  }
  throw truncated();
}

function* cutAll(blocks: readonly Buffer[]): Generator<Uint8Array> {
  for (const block of blocks) yield* cut(block);
}

/** Decompresses a few of the block's elements at a time. */
function* cut(block: Buffer): Generator<Uint8Array> {
  let window: Uint8Array = new Uint8Array();
  for (let at = announcedSize(block).end; at < block.length;) {
    const start = at;
    let size = 0;
    while (at < block.length && size < CHUNK_BYTES) {
      const element = elementAt(block, at);
      at += element.length;
      size += element.size;
    }
    if (at > block.length) throw truncated();
    const part = [...varint(window.length + size), ...literalTag(window.length)];
    const decompressed = snappyDecompress(
      Buffer.concat([Buffer.from(part), window, block.subarray(start, at)]),
    );
    const chunk = decompressed.subarray(window.length);
    yield chunk;
    window = windowAfter(window, chunk);
  }
}

/** Compressed length and decompressed size of an element. */
function elementAt(block: Buffer, at: number): { readonly length: number; readonly size: number } {
  const tag = block[at]!;
  const upper = tag >> 2;
  switch (tag & 3) {
    case 0: {
      const sizeBytes = Math.max(0, upper - 59);
      if (at + sizeBytes >= block.length) throw truncated();
      const size = (sizeBytes === 0 ? upper : block.readUIntLE(at + 1, sizeBytes)) + 1;
      return { length: 1 + sizeBytes + size, size };
    }
    case 1:
      return { length: 2, size: 4 + (upper & 7) };
    case 2:
      return { length: 3, size: 1 + upper };
    default:
      return { length: 5, size: 1 + upper };
  }
}

/** The tag before up to 64 kB of uncompressed bytes. */
function literalTag(size: number): number[] {
  if (size === 0) return [];
  const lessOne = size - 1;
  return [61 << 2, lessOne & 0xff, lessOne >> 8];
}

function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push(rest % 0x80 | 0x80);
  return [...bytes, rest];
}

function truncated(): RangeError {
  return new RangeError("its snappy block is truncated");
}

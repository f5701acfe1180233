/**
 * Record batches as no honest producer makes them, sent byte by byte.
 * @see https://kafka.apache.org/documentation/#recordbatch
 * @module
 */

import { crc32c, lz4Compress, snappyCompress } from "@platformatic/wasm-utils/bundled";
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { Readable } from "node:stream";
import { createGzip, createZstdCompress } from "node:zlib";
import { varint } from "../core/records/batches.ts";
import type { TestTopic } from "./kafka.ts";

/** A part of a record: this byte, so many times; or null. */
export interface Repeated {
  readonly length: number;
  readonly byte: number;
}

/** A record whose parts are too large to be written down. */
export interface HugeRecord {
  readonly key?: Repeated | Uint8Array | null;
  readonly value?: Repeated | Uint8Array | null;
  readonly headers?: readonly { readonly key: string; readonly value: Repeated | null }[];
}

export interface RawBatchOptions {
  readonly partition?: number;
  readonly codec: keyof typeof CODECS;
  readonly timestampMs?: number;
}

const CODECS = { gzip: 1, snappy: 2, lz4: 3, zstd: 4 };
const CHUNK_BYTES = 1 << 20;

/** Sends records as one batch to the broker, which has to lead the partition. @returns the batch's bytes. */
export async function sendRawBatch(
  topic: TestTopic,
  records: readonly HugeRecord[],
  { partition = 0, codec, timestampMs = Date.now() }: RawBatchOptions,
): Promise<number> {
  const compressed = await compress(records, codec);
  const batch = batchOf(compressed, { count: records.length, codec: CODECS[codec], timestampMs });
  await produce(topic, partition, batch);
  return batch.length;
}

async function compress(
  records: readonly HugeRecord[],
  codec: RawBatchOptions["codec"],
): Promise<Buffer> {
  const bytes = Readable.from(inChunks(bytesOf(records)));
  const whole = async () => Buffer.concat(await Array.fromAsync(bytes));
  switch (codec) {
    case "gzip":
      return Buffer.concat(await Array.fromAsync(bytes.pipe(createGzip())));
    case "zstd":
      return Buffer.concat(await Array.fromAsync(bytes.pipe(createZstdCompress())));
    case "snappy":
      return snappyCompress(await whole());
    case "lz4":
      return lz4Compress(await whole());
  }
}

function* bytesOf(records: readonly HugeRecord[]): Generator<Uint8Array> {
  for (const [offsetDelta, { key = null, value = null, headers = [] }] of records.entries()) {
    const parts = [key, value, ...headers.flatMap(({ key, value }) => [Buffer.from(key), value])];
    const front = [0, ...varint(0), ...varint(offsetDelta)];
    const count = varint(headers.length);
    const size = parts.reduce((sum, part) => {
      return sum + varint(part?.length ?? -1).length + (part?.length ?? 0);
    }, front.length + count.length);
    yield new Uint8Array([...varint(size), ...front]);
    for (const [at, part] of parts.entries()) {
      if (at === 2) yield new Uint8Array(count);
      yield new Uint8Array(varint(part?.length ?? -1));
      if (part) yield* partBytes(part);
    }
    if (parts.length === 2) yield new Uint8Array(count);
  }
}

/** Many small pieces as few large ones: a stream takes its time for each. */
function* inChunks(pieces: Iterable<Uint8Array>): Generator<Uint8Array> {
  let [gathered, size]: [Uint8Array[], number] = [[], 0];
  for (const piece of pieces) {
    gathered.push(piece);
    size += piece.length;
    if (size < CHUNK_BYTES) continue;
    yield Buffer.concat(gathered);
    [gathered, size] = [[], 0];
  }
  yield Buffer.concat(gathered);
}

function* partBytes(part: Repeated | Uint8Array): Generator<Uint8Array> {
  if (part instanceof Uint8Array) {
    yield part;
    return;
  }
  for (let left = part.length; left > 0; left -= CHUNK_BYTES) {
    yield new Uint8Array(Math.min(left, CHUNK_BYTES)).fill(part.byte);
  }
}

function batchOf(
  compressed: Buffer,
  { count, codec, timestampMs }: {
    readonly count: number;
    readonly codec: number;
    readonly timestampMs: number;
  },
): Buffer {
  const checked = Buffer.concat([
    int(2, codec),
    int(4, count - 1), // last offset delta
    int(8, timestampMs),
    int(8, timestampMs),
    int(8, -1), // producer
    int(2, -1),
    int(4, -1),
    int(4, count),
    compressed,
  ]);
  const behindLength = Buffer.concat([int(4, -1), int(1, 2), int(4, crc32c(checked) | 0), checked]);
  return Buffer.concat([int(8, 0), int(4, behindLength.length), behindLength]);
}

/** A produce request of version 7, the first with zstd, on a connection of its own. */
async function produce({ brokers, name }: TestTopic, partition: number, batch: Buffer) {
  const text = (value: string) => Buffer.concat([int(2, value.length), Buffer.from(value)]);
  const request = Buffer.concat([
    ...[int(2, 0), int(2, 7), int(4, 1), text("raw")], // produce, version 7, its number, client
    ...[int(2, -1), int(2, -1), int(4, 60_000)], // no transaction, all replicas, time limit
    ...[int(4, 1), text(name), int(4, 1), int(4, partition), int(4, batch.length), batch],
  ]);
  const [hostname, port] = brokers.split(",")[0]!.split(":");
  using connection = await Deno.connect({ hostname: hostname!, port: Number(port) });
  const writer = connection.writable.getWriter();
  await writer.write(Buffer.concat([int(4, request.length), request]));
  let answer = Buffer.alloc(0);
  for await (const bytes of connection.readable) {
    answer = Buffer.concat([answer, bytes]);
    if (answer.length >= 4 && answer.length >= 4 + answer.readInt32BE()) break;
  }
  const errorAt = 4 + 4 + 4 + 2 + name.length + 4 + 4;
  assert.equal(answer.readInt16BE(errorAt), 0, "the broker takes the batch");
}

/** A number in so many bytes. */
function int(size: 1 | 2 | 4 | 8, value: number): Buffer {
  const bytes = Buffer.alloc(size);
  if (size === 8) bytes.writeBigInt64BE(BigInt(value));
  else bytes.writeIntBE(value, 0, size);
  return bytes;
}

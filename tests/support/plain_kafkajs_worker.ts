/**
 * kafkajs as it comes, without our replaced parts: reads a topic in a thread of its
 * own, where nothing has touched its modules.
 * @module
 */

/// <reference no-default-lib="true" />
/// <reference lib="deno.worker" />

import { lz4Decompress, snappyDecompress } from "@platformatic/wasm-utils/bundled";
import { CompressionCodecs, CompressionTypes, Kafka, logLevel } from "kafkajs";
import type { Buffer } from "node:buffer";
import { gunzipSync, zstdDecompressSync } from "node:zlib";
import type { PlainRecord, PlainRequest } from "./record_reader.ts";

const codec = (decompress: (bytes: Buffer) => Uint8Array) => () => ({
  compress: () => Promise.reject(new Error("this only reads")),
  decompress: (bytes: Buffer) => Promise.resolve(decompress(bytes) as Buffer),
});
CompressionCodecs[CompressionTypes.GZIP] = codec((bytes) => gunzipSync(bytes));
CompressionCodecs[CompressionTypes.Snappy] = codec((bytes) => snappyDecompress(bytes));
CompressionCodecs[CompressionTypes.LZ4] = codec((bytes) => lz4Decompress(bytes));
CompressionCodecs[CompressionTypes.ZSTD] = codec((bytes) => zstdDecompressSync(bytes));

self.onmessage = async ({ data }: MessageEvent<PlainRequest>) => {
  self.postMessage(await read(data));
};

async function read({ brokers, topic, from, ends }: PlainRequest): Promise<PlainRecord[]> {
  const records: PlainRecord[] = [];
  const missing = new Set([...ends.keys()].filter((id) => ends.get(id)! > (from.get(id) ?? 0)));
  const done = Promise.withResolvers<void>();
  const consumer = new Kafka({ brokers, logLevel: logLevel.NOTHING }).consumer({
    groupId: `plain-${crypto.randomUUID()}`,
    maxWaitTimeInMs: 100,
  });
  consumer.on("consumer.crash", ({ payload }) => done.reject(payload.error));
  const reached = (partition: number, offset: number) => {
    if (offset >= ends.get(partition)!) missing.delete(partition);
    if (missing.size === 0) done.resolve();
  };
  consumer.on("consumer.end_batch_process", ({ payload }) => {
    reached(payload.partition, Number(payload.lastOffset) + 1);
  });
  await consumer.connect();
  await consumer.subscribe({ topics: [topic], fromBeginning: true });
  await consumer.run({
    autoCommit: false,
    eachBatch: async ({ batch: { partition, messages } }) => {
      await Promise.resolve();
      for (const { offset, timestamp, key, value, headers } of messages) {
        if (Number(offset) < (from.get(partition) ?? 0)) continue;
        records.push({
          partition,
          offset: Number(offset),
          timestampMs: Number(timestamp),
          key: key?.toHex() ?? null,
          value: value?.toHex() ?? null,
          headers: Object.entries(headers ?? {}).flatMap(([name, values]) =>
            [values].flat().map((each) => [name, (each as Buffer | null)?.toHex() ?? null])
          ) as PlainRecord["headers"],
        });
      }
    },
  });
  for (const [partition, offset] of from) {
    consumer.seek({ topic, partition, offset: String(offset) });
  }
  if (missing.size > 0) await done.promise;
  await consumer.disconnect();
  return records;
}

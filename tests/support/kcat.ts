/**
 * kcat, a Kafka client that shares no code with ours.
 * @module
 */

import { eventually } from "./eventually.ts";
import { run } from "./guarded_process.ts";
import type { TestTopic } from "./kafka.ts";

export interface ProduceOptions {
  readonly codec?: "none" | "gzip" | "snappy" | "lz4" | "zstd";
  readonly partition?: number;
}

/** Produces one record a line, spread over the partitions; an empty line is a null value. */
export async function kcatProduce(
  { brokers, name }: TestTopic,
  lines: readonly (string | Uint8Array)[],
  { codec = "none", partition }: ProduceOptions = {},
): Promise<void> {
  const path = await Deno.makeTempFile();
  try {
    await Deno.writeFile(path, joined(lines));
    await run("kcat", [
      ...["-P", "-b", brokers, "-t", name, "-Z", "-K", "\t", "-z", codec],
      ...["-X", "topic.partitioner=random", "-X", "sticky.partitioning.linger.ms=0"],
      ...["-X", "linger.ms=20", "-X", "message.max.bytes=16777216"],
      ...partition === undefined ? [] : ["-p", String(partition)],
      ...["-l", path],
    ]);
  } finally {
    await Deno.remove(path);
  }
}

/** Lines of an empty key, a tab and the value: kcat leaves out lines that are empty altogether. */
function joined(lines: readonly (string | Uint8Array)[]): Uint8Array {
  const encoder = new TextEncoder();
  const parts = lines.map((line) => typeof line === "string" ? encoder.encode(line) : line);
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length + 2, 0));
  let at = 0;
  for (const part of parts) {
    bytes[at++] = 0x09;
    bytes.set(part, at);
    at += part.length;
    bytes[at++] = 0x0a;
  }
  return bytes;
}

/** What a consumer gets; keys and values are without line feeds. */
export interface ConsumedRecord {
  readonly key: string;
  readonly value: string;
}

/**
 * All records of a topic that a consumer gets, in the order of each partition, once there are
 * `atLeast` so many: a transaction can be read a moment after its producer was told that it ended.
 */
export async function kcatConsume(
  { brokers, name }: Pick<TestTopic, "brokers" | "name">,
  atLeast = 0,
): Promise<readonly ConsumedRecord[]> {
  return await eventually(async () => {
    const text = await run("kcat", [
      ...["-C", "-q", "-e", "-b", brokers, "-t", name, "-o", "beginning"],
      ...["-X", "isolation.level=read_committed", "-f", "%k\\n%s\\n"],
    ]);
    const lines = text.split("\n").slice(0, -1);
    const records = Array.from({ length: lines.length / 2 }, (_, n) => (
      { key: lines[2 * n]!, value: lines[2 * n + 1]! }
    ));
    return records.length >= atLeast && records;
  });
}

/**
 * Topics full of events, written by kcat from a file.
 * @module
 */

import { run } from "../support/guarded_process.ts";
import { createTopic, type TestTopic } from "../support/kafka.ts";
import { type Form, line } from "./lines.ts";

/** What the records of a topic look like. */
export interface Load {
  readonly events: number;
  readonly partitions?: number;
  /** Different lotteries; each has three types of events. */
  readonly lotteries?: number;
  /** Time from the first event to the last one. */
  readonly spanMs?: number;
  readonly codec?: "none" | "gzip" | "lz4" | "zstd";
  readonly form?: Form;
}

const LINES_PER_WRITE = 20_000;

/** A topic with these records, the same ones each time. */
export async function makeTopic(
  brokers: string,
  {
    events,
    partitions = 4,
    lotteries = 20,
    spanMs = 30 * 60_000,
    codec = "none",
    form = "compact",
  }: Load,
): Promise<TestTopic> {
  const topic = await createTopic({ partitions }, brokers);
  const path = await Deno.makeTempFile();
  try {
    {
      using file = await Deno.open(path, { write: true });
      const encoder = new TextEncoder();
      for (let n = 0; n < events; n += LINES_PER_WRITE) {
        const lines = Array.from(
          { length: Math.min(LINES_PER_WRITE, events - n) },
          (_, index) => line(n + index, { events, lotteries, spanMs, form }),
        );
        await write(file, encoder.encode(lines.join("\n") + "\n"));
      }
    }
    await run("kcat", [
      ...["-P", "-b", brokers, "-t", topic.name, "-z", codec, "-l", path],
      ...["-X", "topic.partitioner=random", "-X", "sticky.partitioning.linger.ms=20"],
      ...["-X", "linger.ms=20", "-X", "batch.size=16384"],
    ]);
    return topic;
  } finally {
    await Deno.remove(path);
  }
}

async function write(file: Deno.FsFile, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
}

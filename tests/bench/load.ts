/**
 * Topics full of events, written by kcat from a file.
 * @module
 */

import { run } from "../support/guarded_process.ts";
import { createTopic, type TestTopic } from "../support/kafka.ts";

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

/** How an event is written. */
export type Form = "compact" | "any JSON" | "bad";

const TYPES = ["clicked", "register", "pay"];
const START_MS = Date.UTC(2025, 0, 1);
const LINES_PER_WRITE = 20_000;

/** Event number `n` as a line. */
export function line(
  n: number,
  load: Required<Pick<Load, "lotteries" | "spanMs" | "events" | "form">>,
) {
  const lottery = `lottery_${String((n * 7_919) % load.lotteries).padStart(2, "0")}`;
  const type = TYPES[n % 3]!;
  const timestamp = START_MS + Math.floor(n / load.events * load.spanMs);
  switch (load.form) {
    case "compact":
      return `{"lottery_name":"${lottery}","event_type":"${type}","timestamp":${timestamp}}`;
    case "any JSON":
      return n % 2 === 0
        ? `{"timestamp": ${timestamp}, "lottery_name": "${lottery}", "event_type": "${type}", "u": ${n}}`
        : `{"id":"${n}", "event_type":"${type}", "lottery_name":"${lottery}", "timestamp":${timestamp}}`;
    case "bad":
      return `{"lottery_name":"${lottery}","event_type":"${type}","timestamp":"${timestamp}"}`;
  }
}

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

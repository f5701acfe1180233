/**
 * An independent recount: what kcat reads from the topic, judged by code that shares
 * nothing with the pipeline, against every row of the database.
 * @module
 */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import type { Connection } from "../../lib/io/postgres/session/connection.ts";
import { foreignEnv } from "./guarded_process.ts";
import { assertHoursAreSums } from "./hour_sums.ts";
import type { TestTopic } from "./kafka.ts";

const MINUTE_MS = 60_000;
const MAX_FUTURE_MS = 300_000;

interface ForeignRecord {
  readonly partition: number;
  readonly offset: number;
  readonly timestampMs: number;
  readonly value: Uint8Array | null;
}

/** Everything that the topic holds, as librdkafka reads it (committed transactions only). */
async function* readTopic({ brokers, name }: TestTopic): AsyncGenerator<ForeignRecord> {
  const kcat = new Deno.Command("kcat", {
    args: [
      ...["-C", "-q", "-e", "-b", brokers, "-t", name, "-o", "beginning"],
      ...["-X", "isolation.level=read_committed", "-X", "fetch.message.max.bytes=16777216"],
      ...["-f", "%p %o %T %S\\n%s\\n"],
    ],
    stdout: "piped",
    stderr: "inherit",
    clearEnv: true,
    env: foreignEnv(),
  }).spawn();
  let rest: Uint8Array = new Uint8Array();
  for await (const chunk of kcat.stdout) {
    const bytes = Buffer.concat([rest, chunk]);
    rest = bytes.slice(yield* parseRecords(bytes));
  }
  assert.ok((await kcat.status).success);
  assert.equal(rest.length, 0);
}

/** The records that are complete. @returns where the first one that is not begins. */
function* parseRecords(bytes: Uint8Array): Generator<ForeignRecord, number> {
  const decoder = new TextDecoder();
  let at = 0;
  for (;;) {
    const lineEnd = bytes.indexOf(0x0a, at);
    if (lineEnd < 0) return at;
    const [partition, offset, timestampMs, size] = decoder.decode(bytes.subarray(at, lineEnd))
      .split(" ").map(Number) as [number, number, number, number];
    const start = lineEnd + 1;
    const end = start + Math.max(0, size);
    if (end >= bytes.length) return at;
    yield { partition, offset, timestampMs, value: size < 0 ? null : bytes.subarray(start, end) };
    at = end + 1;
  }
}

/** The event's row key, or the reason why there is none: written again, from lib/commands/README.md alone. */
function judge({ value, timestampMs }: ForeignRecord): { key: string } | { reason: string } {
  if (value === null) return { reason: "tombstone" };
  if (value.length > 1_048_576) return { reason: "value_too_large" };
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(value);
  } catch {
    return { reason: "not_utf8" };
  }
  let event: Record<string, unknown>;
  try {
    event = JSON.parse(text);
  } catch {
    return { reason: "not_json" };
  }
  if (Object.prototype.toString.call(event) !== "[object Object]") {
    return { reason: "not_an_object" };
  }
  for (const [field, most] of [["lottery_name", 255], ["event_type", 100]] as const) {
    const name = event[field];
    if (!(field in event)) return { reason: `${field}_missing` };
    if (typeof name !== "string") return { reason: `${field}_not_text` };
    if (name.length === 0) return { reason: `${field}_empty` };
    if ([...name].length > most) return { reason: `${field}_too_long` };
    if (/\0|\p{Surrogate}/u.test(name)) return { reason: `${field}_not_storable` };
  }
  const time = event.timestamp;
  if (!("timestamp" in event)) return { reason: "timestamp_missing" };
  if (typeof time !== "number" || time % 1 !== 0) return { reason: "timestamp_not_an_integer" };
  if (time <= 0) return { reason: "timestamp_not_positive" };
  if (time < 100_000_000_000) return { reason: "timestamp_in_seconds" };
  if (new Date(time).getUTCFullYear() > 9999 || time > 8.64e15) {
    return { reason: "timestamp_out_of_range" };
  }
  const isTime = timestampMs >= 100_000_000_000 && new Date(timestampMs).getUTCFullYear() <= 9999;
  if (isTime && time - timestampMs > MAX_FUTURE_MS) {
    return { reason: "timestamp_in_future" };
  }
  return { key: JSON.stringify([time - time % MINUTE_MS, event.lottery_name, event.event_type]) };
}

/** Compares every row of counts, and every dead letter, with a recount of the topic; and every hour. */
export async function assertRecounted(topic: TestTopic, connection: Connection): Promise<number> {
  let records = 0;
  const counts = new Map<string, number>();
  const dead = new Map<string, string>();
  for await (const record of readTopic(topic)) {
    records++;
    const judged = judge(record);
    if ("key" in judged) counts.set(judged.key, (counts.get(judged.key) ?? 0) + 1);
    else dead.set(`${record.partition}/${record.offset}`, judged.reason);
  }
  assertSame("counts", await storedCounts(connection), counts);
  assertSame("dead letters", await storedDeadLetters(connection), dead);
  await assertHoursAreSums(connection);
  return records;
}

async function storedCounts(connection: Connection): Promise<Map<string, number>> {
  const rows = await connection.query<
    { window_start: Date; lottery_name: string; event_type: string; event_count: number }
  >({ text: "select * from lottery_aggregates" });
  return new Map(rows.map((row) => [
    JSON.stringify([row.window_start.getTime(), row.lottery_name, row.event_type]),
    row.event_count,
  ]));
}

async function storedDeadLetters(connection: Connection): Promise<Map<string, string>> {
  const rows = await connection.query<{ partition: number; kafka_offset: number; reason: string }>({
    text: "select partition, kafka_offset, reason from dead_letters",
  });
  return new Map(rows.map((row) => [`${row.partition}/${row.kafka_offset}`, row.reason]));
}

function assertSame<T>(what: string, actual: Map<string, T>, expected: Map<string, T>): void {
  const differences = [...new Set([...actual.keys(), ...expected.keys()])]
    .filter((key) => actual.get(key) !== expected.get(key))
    .map((key) => `${key}: ${actual.get(key)} instead of ${expected.get(key)}`);
  assert.deepEqual(differences.slice(0, 10), [], `${differences.length} ${what} differ`);
}

/**
 * A topic's records, read by our source and by kafkajs as it comes.
 * @module
 */

import type { Fetched } from "../../lib/core/records/log_batch.ts";
import { createKafka } from "../../lib/io/kafka/client.ts";
import { KafkaCluster } from "../../lib/io/kafka/cluster.ts";
import { KafkaSource } from "../../lib/io/kafka/source.ts";
import type { SourceReader } from "../../lib/pipeline/source.ts";
import type { TestTopic } from "./kafka.ts";
import { recordsIn } from "./pieces.ts";

/** A record, comparable whoever has read it: bytes are in hexadecimal. */
export interface PlainRecord {
  readonly partition: number;
  readonly offset: number;
  readonly timestampMs: number;
  readonly key: string | null;
  readonly value: string | null;
  readonly headers: readonly (readonly [name: string, value: string | null])[];
}

/** What the thread with kafkajs is asked for. */
export interface PlainRequest {
  readonly brokers: string[];
  readonly topic: string;
  readonly from: ReadonlyMap<number, number>;
  readonly ends: ReadonlyMap<number, number>;
}

/** Records from these offsets, or the log's starts, to the log's ends, in the order of partition and offset. */
export async function readWithOurs(
  topic: TestTopic,
  from: ReadonlyMap<number, number> = new Map(),
): Promise<PlainRecord[]> {
  const config = { ...topic.config, groupId: crypto.randomUUID() };
  const kafka = await createKafka(config);
  await using cluster = new KafkaCluster(kafka, config);
  await using source = new KafkaSource(kafka, { config, cluster });
  const ranges = await cluster.logRanges();
  const positions = new Map(
    Array.from(ranges, ([id, { startOffset }]) => [id, from.get(id) ?? startOffset]),
  );
  const isDone = () =>
    [...ranges].every(([id, { endOffset }]) => (positions.get(id) ?? 0) >= endOffset);

  const records: PlainRecord[] = [];
  const done = new AbortController();
  const reader: SourceReader = {
    assigned: () => source.resume(positions),
    interrupted: () => {},
    fetched: async (fetched) => {
      if (fetched.fetchedOffset !== positions.get(fetched.partition)) return;
      for await (const record of plainRecords(fetched)) records.push(record);
      positions.set(fetched.partition, fetched.nextOffset);
      if (isDone()) done.abort();
    },
  };
  if (!isDone()) await source.read(reader, done.signal);
  return records.sort(byPosition);
}

/** The same, by kafkajs without our replaced parts. */
export async function readWithKafkajs(
  topic: TestTopic,
  from: ReadonlyMap<number, number> = new Map(),
): Promise<PlainRecord[]> {
  await using cluster = new KafkaCluster(await createKafka(topic.config), topic.config);
  const ranges = await cluster.logRanges();
  const request: PlainRequest = {
    brokers: [...topic.config.brokers],
    topic: topic.name,
    from,
    ends: new Map(Array.from(ranges, ([id, { endOffset }]) => [id, endOffset])),
  };
  const worker = new Worker(new URL("./plain_kafkajs_worker.ts", import.meta.url), {
    type: "module",
  });
  try {
    const answer = Promise.withResolvers<PlainRecord[]>();
    worker.onmessage = ({ data }) => answer.resolve(data);
    worker.onerror = (event) => answer.reject(new Error(event.message));
    worker.postMessage(request);
    return (await answer.promise).sort(byPosition);
  } finally {
    worker.terminate();
  }
}

async function* plainRecords(
  { partition, fetchedOffset, batches }: Fetched,
): AsyncGenerator<PlainRecord> {
  const decoder = new TextDecoder();
  for await (const cursor of recordsIn(batches)) {
    if (cursor.offset < fetchedOffset) continue;
    yield {
      partition,
      offset: cursor.offset,
      timestampMs: cursor.timestampMs,
      key: cursor.key()?.toHex() ?? null,
      value: cursor.value()?.toHex() ?? null,
      headers: cursor.headers().map(({ key, value }) => [
        decoder.decode(key),
        value?.toHex() ?? null,
      ]),
    };
  }
}

function byPosition(a: PlainRecord, b: PlainRecord): number {
  return a.partition - b.partition || a.offset - b.offset;
}

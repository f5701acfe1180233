/**
 * From a record's timestamp until its count can be seen in PostgreSQL, at 10,000 events a second.
 * @module
 */

import { Kafka, logLevel } from "../../lib/io/kafka/kafkajs/kafkajs.ts";
import { RunningAuditor } from "../support/auditing.ts";
import { freePort } from "../support/free_port.ts";
import { createTopic, type TestTopic } from "../support/kafka.ts";
import type { TestDatabase } from "../support/postgres.ts";
import { Program } from "../support/worker_process.ts";
import { settingsOf } from "./consumers.ts";
import { type Finding, quantile } from "./report.ts";
import type { Stand } from "./stand.ts";

const PARTITIONS = 4;
const PER_SECOND = 10_000;
const EVERY_MS = 10;
const LOOK_EVERY_MS = 5;

/** Records of one partition, all of one time. */
interface Sent {
  readonly sentAt: number;
  /** Offset behind the last of them. */
  readonly nextOffset: number;
}

export async function* latency(stand: Stand): AsyncGenerator<Finding> {
  const alone = await latencies(stand);
  for (const [q, goalMs] of [[0.5, 200], [0.99, 500]] as const) {
    const ms = quantile(alone, q);
    yield {
      what: `record → visible at ${PER_SECOND} events/s, p${q * 100}`,
      measured: `${Math.round(ms)} ms`,
      goal: `< ${goalMs} ms`,
      isReached: ms < goalMs,
    };
  }
  // More than `audit --watch` ever does: rounds without a pause, each of everything.
  let rounds = 0;
  const audited = await latencies(stand, {
    beside: (parts) =>
      RunningAuditor.start(parts, { fullEveryMs: 0, onRound: () => void rounds++ }),
  });
  for (const q of [0.5, 0.99]) {
    yield {
      what: `the same beside an auditor without a pause, p${q * 100}`,
      measured: `${Math.round(quantile(audited, q))} ms`,
      beside: `${Math.round(quantile(alone, q))} ms alone; ${rounds} rounds`,
      ratio: quantile(audited, q) / quantile(alone, q),
    };
  }
}

/** How long records took to be seen, while whatever is beside the worker runs. */
async function latencies(
  stand: Stand,
  { beside }: {
    readonly beside?: (
      parts: { readonly topic: TestTopic; readonly database: TestDatabase },
    ) => Promise<AsyncDisposable>;
  } = {},
): Promise<number[]> {
  await using topic = await createTopic({ partitions: PARTITIONS }, stand.brokers);
  await using database = await stand.createDatabase();
  await using worker = await Program.start(["start"], {
    env: { ...settingsOf(topic, database), HTTP_PORT: String(freePort()) },
  });
  await worker.printed(/Reading \d+ partition/);
  await using _beside = await beside?.({ topic, database }) ?? null;
  const all = await send(topic, database, stand.isQuick ? 3_000 : 30_000);
  // The first second is that of the start: connections are opened, code is compiled.
  return all.slice(PER_SECOND / (1000 / EVERY_MS) * PARTITIONS);
}

/** Sends for `durationMs`. @returns for each portion of records how long it took to be seen. */
async function send(
  topic: TestTopic,
  database: TestDatabase,
  durationMs: number,
): Promise<number[]> {
  const kafka = new Kafka({ brokers: topic.brokers.split(","), logLevel: logLevel.NOTHING });
  const producer = kafka.producer({ allowAutoTopicCreation: false });
  await producer.connect();
  const waiting: Sent[][] = Array.from({ length: PARTITIONS }, () => []);
  const sentUpTo = new Array<number>(PARTITIONS).fill(0);
  const latencies: number[] = [];
  let isOver = false;
  const watching = (async () => {
    while (!isOver || waiting.some((portions) => portions.length > 0)) {
      const rows = await database.connection.query<{ partition: number; next_offset: number }>({
        text: "select partition, next_offset from kafka_offsets",
      });
      const seenAt = Date.now();
      for (const { partition, next_offset } of rows) {
        const portions = waiting[partition]!;
        while (portions[0] && portions[0].nextOffset <= next_offset) {
          latencies.push(seenAt - portions.shift()!.sentAt);
        }
      }
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    }
  })();
  const startedAt = Date.now();
  let portions = 0;
  while (Date.now() - startedAt < durationMs) {
    const due = Math.floor((Date.now() - startedAt) / EVERY_MS);
    for (; portions < due; portions++) {
      const sentAt = Date.now();
      const each = PER_SECOND / (1000 / EVERY_MS) / PARTITIONS;
      for (let partition = 0; partition < PARTITIONS; partition++) {
        sentUpTo[partition]! += each;
        waiting[partition]!.push({ sentAt, nextOffset: sentUpTo[partition]! });
      }
      await producer.send({
        topic: topic.name,
        acks: 1,
        messages: Array.from({ length: each * PARTITIONS }, (_, n) => ({
          partition: n % PARTITIONS,
          timestamp: String(sentAt),
          value: JSON.stringify({
            lottery_name: `lottery_${n % 20}`,
            event_type: "clicked",
            timestamp: sentAt,
          }),
        })),
      });
    }
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  isOver = true;
  await watching;
  await producer.disconnect();
  return latencies;
}

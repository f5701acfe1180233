/**
 * A pipeline between a log and a store in memory, and what should come of it.
 * @module
 */

import assert from "node:assert/strict";
import { Condition } from "../../lib/async/condition.ts";
import type { NewRecord } from "../../lib/core/records/record_encoder.ts";
import { EventParser } from "../../lib/core/windowing/event.ts";
import type { Commit } from "../../lib/core/windowing/pending.ts";
import { newSha256 } from "../../lib/io/sha256.ts";
import type { PipelineObserver, System } from "../../lib/pipeline/observer.ts";
import { Pipeline, type PipelineOptions } from "../../lib/pipeline/pipeline.ts";
import type { Sink } from "../../lib/pipeline/sink.ts";
import type { Source } from "../../lib/pipeline/source.ts";
import type { MemoryLog, MemoryStore } from "./memory_ends.ts";

const MINUTE_MS = 60_000;
const START_MS = 1_763_800_020_000;
const encoder = new TextEncoder();

/** Record number `n` of a partition: every fifth is no event. */
export function record(partition: number, n: number): NewRecord {
  const timestampMs = START_MS + n * 7_000;
  const event = { lottery_name: `lottery ${n % 3}`, event_type: "pay", timestamp: timestampMs };
  const value = n % 5 === 4 ? `bad ${partition}/${n}` : JSON.stringify(event);
  return { timestampMs, key: null, value: encoder.encode(value) };
}

export function makeLog(partitions: number, records: number): MemoryLog {
  return Array.from(
    { length: partitions },
    (_, partition) => Array.from({ length: records }, (_, n) => record(partition, n)),
  );
}

/** Records of one partition, each of another lottery. */
export function manyLotteries(count: number): NewRecord[] {
  return Array.from({ length: count }, (_, n) => {
    const event = { lottery_name: `lottery ${n}`, event_type: "pay", timestamp: START_MS };
    return { timestampMs: START_MS, key: null, value: encoder.encode(JSON.stringify(event)) };
  });
}

/** Compares every count, dead letter and offset with a recount of the log that shares no code with the pipeline. */
export function assertCountedOnce({ counts, deadLetters, offsets }: MemoryStore, log: MemoryLog) {
  const expectedCounts = new Map<string, number>();
  const expectedLetters = new Map<string, string>();
  const decoder = new TextDecoder();
  for (const [partition, records] of log.entries()) {
    for (const [offset, { value }] of records.entries()) {
      const text = decoder.decode(value!);
      if (text.startsWith("bad")) {
        expectedLetters.set(`${partition}/${offset}`, "not_json");
        continue;
      }
      const { lottery_name, event_type, timestamp } = JSON.parse(text);
      const key = JSON.stringify([timestamp - timestamp % MINUTE_MS, lottery_name, event_type]);
      expectedCounts.set(key, (expectedCounts.get(key) ?? 0) + 1);
    }
  }
  assert.deepEqual(sorted(counts), sorted(expectedCounts));
  assert.deepEqual(sorted(deadLetters), sorted(expectedLetters));
  assert.deepEqual(sorted(offsets), sorted(new Map(log.map(({ length }, id) => [id, length]))));
}

function sorted<K, V>(map: ReadonlyMap<K, V>): [K, V][] {
  return [...map].sort(([a], [b]) => a < b ? -1 : 1);
}

/** An observer that remembers, and tells when something happens. */
export class Witness implements PipelineObserver {
  readonly changed = new Condition();
  events = 0;
  fences = 0;
  readonly failures: System[] = [];
  abandonedWith: unknown = null;
  positionedTimes = 0;

  assigned(): void {}
  positioned(): void {
    this.positionedTimes++;
    this.changed.notify();
  }
  committed({ events }: Commit): void {
    this.events += events;
    this.changed.notify();
  }
  fenced(): void {
    this.fences++;
    this.changed.notify();
  }
  failed(system: System): void {
    this.failures.push(system);
    this.changed.notify();
  }
  answered(): void {}
  abandoned(error: unknown): void {
    this.abandonedWith = error;
  }
  stalled(): void {}
  compacted(): void {}
  unavailable(): void {}
  throttled(): void {}
  lag(): void {}
  ranges(): void {}
  watermark(): void {}
}

export function makePipeline(
  options: Pick<PipelineOptions, "source" | "sink"> & Partial<PipelineOptions>,
): Pipeline {
  return new Pipeline({
    observer: new Witness(),
    parser: new EventParser({ maxFutureMs: 300_000 }),
    windowMs: MINUTE_MS,
    newSha256,
    graceMs: MINUTE_MS,
    commitIntervalMs: 1,
    onDataLoss: "fail",
    stallMs: 30_000,
    stopTimeoutMs: 500,
    ...options,
  });
}

/** True if the store has every partition of the log up to its end. */
export function isComplete({ offsets }: MemoryStore, log: MemoryLog): boolean {
  return log.every(({ length }, partition) => offsets.get(partition) === length);
}

/** Runs until the whole log is stored; rejects as the pipeline does. */
export async function runToEnd(
  { source, sink, store, log, witness = new Witness() }: {
    readonly source: Source;
    readonly sink: Sink;
    readonly store: MemoryStore;
    readonly log: MemoryLog;
    readonly witness?: Witness;
  },
): Promise<void> {
  const stop = new AbortController();
  const running = makePipeline({ source, sink, observer: witness }).run(stop.signal);
  const complete = witness.changed.until(() => isComplete(store, log), { signal: stop.signal });
  try {
    await Promise.race([running, complete]);
  } finally {
    stop.abort();
  }
  await running;
}

/**
 * Records from a Kafka topic, read as one member of a consumer group.
 *
 * Offsets do not come from Kafka: each assignment starts paused, and the pipeline says where to
 * continue. However kafkajs restarts, resets or dies, the supervisor here ends its consumer and
 * starts another.
 * @module
 */

import { backOff } from "../../async/backoff.ts";
import { withTimeout } from "../../async/delay.ts";
import { isPassing, UnavailableError } from "../../core/failure.ts";
import type { LogView } from "../../core/offsets/log_range.ts";
import type { Fetched } from "../../core/records/log_batch.ts";
import type { KafkaConfig } from "../../core/settings/config.ts";
import type { Source, SourceReader } from "../../pipeline/source.ts";
import { RETRY } from "./client.ts";
import type { KafkaCluster } from "./cluster.ts";
import { explain } from "./errors.ts";
import type { BatchMessage } from "./kafkajs/fetch_decoder.ts";
import type { Batch, Consumer, EachBatchPayload, Kafka } from "./kafkajs/kafkajs.ts";
import type { FetchProgress } from "./kafkajs/patched_fetch.ts";
import { ReadAhead } from "./read_ahead.ts";

export interface KafkaSourceOptions {
  readonly config: KafkaConfig;
  /** Checks that it is still the same cluster. */
  readonly cluster: KafkaCluster;
}

const SESSION_TIMEOUT_MS = 10_000;
const REBALANCE_TIMEOUT_MS = 30_000;
const HEARTBEAT_INTERVAL_MS = 1_000;
/** Longest wait of a fetch for records. Leaving the group waits for it, too. */
const MAX_WAIT_MS = 500;
const MAX_BYTES_PER_PARTITION = 1 << 20;
const MAX_BYTES = 4 << 20;
/** kafkajs may hang without an error. Its heartbeats never pause for this long, not even in a rebalance. */
const SILENCE_MS = 60_000;
/** How long leaving the group may take; the session expires anyway. */
const LEAVE_TIMEOUT_MS = 3_000;
const BACKOFF = { firstMs: 200, maxMs: 10_000 };

export class KafkaSource implements Source {
  readonly name = "Kafka";
  readonly signsOfLife = new Map<number, number>();
  #throttledMs = 0;
  readonly #kafka: Kafka;
  readonly #config: KafkaConfig;
  readonly #cluster: KafkaCluster;
  #consumer: Consumer | null = null;
  /** Settles once kafkajs has joined the group for this consumer, or has given up. */
  #started: Promise<void> = Promise.resolve();
  #assigned = new Set<number>();
  readonly #ahead = new ReadAhead();
  /** Consumers in a row that ended before they joined the group. */
  #failures = 0;
  #toAcknowledge = new Map<number, number>();
  #acknowledging: Promise<void> | null = null;
  #end: (reason: Error) => void = () => {};

  /** @param cluster stays open when the source is disposed: it belongs to the caller. */
  constructor(kafka: Kafka, { config, cluster }: KafkaSourceOptions) {
    this.#kafka = kafka;
    this.#config = config;
    this.#cluster = cluster;
  }

  get throttledMs(): number {
    return this.#throttledMs;
  }

  async read(reader: SourceReader, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await this.#consume(reader, signal);
      } catch (error) {
        await this.#leave();
        if (!isPassing(error)) throw error;
        reader.interrupted(error);
        await backOff(this.#failures++, BACKOFF, signal);
      }
    }
  }

  resume(positions: ReadonlyMap<number, number>): void {
    const { topic } = this.#config;
    const partitions = [...positions.keys()].filter((partition) => this.#assigned.has(partition));
    if (!this.#consumer || partitions.length === 0) return;
    this.#ahead.drop((partition) => positions.has(partition));
    try {
      for (const partition of partitions) {
        this.#consumer.seek({ topic, partition, offset: String(positions.get(partition)) });
      }
      this.#consumer.resume([{ topic, partitions }]);
    } catch { // it has left its group: another assignment follows
    }
  }

  renew(): void {
    this.#end(new UnavailableError("no records arrive although the log has more"));
  }

  isCompacted(): Promise<boolean> {
    return this.#cluster.isCompacted();
  }

  viewLog(partitions?: readonly number[]): Promise<LogView> {
    return this.#cluster.viewLog(partitions);
  }

  acknowledge(positions: ReadonlyMap<number, number>): void {
    for (const [partition, position] of positions) this.#toAcknowledge.set(partition, position);
    this.#acknowledging ??= this.#acknowledgeAll().finally(() => this.#acknowledging = null);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#leave();
  }

  /** Runs one consumer. Resolves when the signal aborts, while still a member of the group. */
  async #consume(reader: SourceReader, signal: AbortSignal): Promise<void> {
    const { groupId } = this.#config;
    const consumer = this.#kafka.consumer({
      groupId,
      sessionTimeout: SESSION_TIMEOUT_MS,
      rebalanceTimeout: REBALANCE_TIMEOUT_MS,
      heartbeatInterval: HEARTBEAT_INTERVAL_MS,
      maxWaitTimeInMs: MAX_WAIT_MS,
      maxBytesPerPartition: MAX_BYTES_PER_PARTITION,
      maxBytes: MAX_BYTES,
      metadataMaxAge: 60_000,
      allowAutoTopicCreation: false,
      // Its own restarts can outlive a stop(): we restart it ourselves.
      retry: { ...RETRY, restartOnFailure: () => Promise.resolve(false) },
    });
    this.#consumer = consumer;

    const ended = Promise.withResolvers<void>();
    this.#end = ended.reject;
    let watchdog: ReturnType<typeof setTimeout> | undefined;
    const feedWatchdog = () => {
      clearTimeout(watchdog);
      watchdog = setTimeout(
        () => ended.reject(new UnavailableError(`kafkajs has been silent for ${SILENCE_MS} ms`)),
        SILENCE_MS,
      );
    };
    feedWatchdog();
    const stop = () => {
      this.#pause(consumer);
      ended.resolve();
    };
    signal.addEventListener("abort", stop, { once: true });
    const fail = (error: unknown) => ended.reject(explain(error, this.#config));
    consumer.on("consumer.crash", ({ payload }) => fail(payload.error));
    consumer.on("consumer.heartbeat", feedWatchdog);
    consumer.on("consumer.fetch", ({ payload }) => {
      if (this.#consumer === consumer) this.#progressed(payload, { consumer, reader });
    });
    consumer.on("consumer.group_join", ({ payload }) => {
      if (this.#consumer !== consumer) return; // an abandoned one
      this.#assigned = new Set(payload.memberAssignment[this.#config.topic]);
      this.#failures = 0;
      this.#startOver(consumer, reader);
    });
    this.#started = this.#start(consumer, async (payload) => {
      if (signal.aborted || payload.isStale()) return;
      const fetched = toFetched(payload.batch);
      this.#cluster.saw(fetched.partition, fetched.nextOffset);
      this.#ahead.add(fetched);
      await this.#waitForRoom(payload);
    }).catch(fail);
    const over = new AbortController();
    // The reader's errors must not reach kafkajs, which would stop silently.
    this.#ahead.handOver((fetched) => reader.fetched(fetched), over.signal).catch(ended.reject);

    try {
      await ended.promise;
    } finally {
      clearTimeout(watchdog);
      over.abort();
      this.#ahead.drop(() => true);
      signal.removeEventListener("abort", stop);
    }
  }

  async #start(
    consumer: Consumer,
    eachBatch: (payload: EachBatchPayload) => Promise<void>,
  ): Promise<void> {
    await consumer.connect();
    await consumer.subscribe({ topics: [this.#config.topic], fromBeginning: true });
    await consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      partitionsConsumedConcurrently: 1,
      eachBatch,
    });
  }

  #pause(consumer: Consumer): void {
    if (this.#assigned.size === 0) return;
    try {
      consumer.pause([{ topic: this.#config.topic, partitions: [...this.#assigned] }]);
    } catch { // it has left its group and reads nothing
    }
  }

  /** Makes the reader say where to continue. */
  #startOver(consumer: Consumer, reader: SourceReader): void {
    // At once: a fetch before that would start anywhere.
    this.#pause(consumer);
    this.#toAcknowledge.clear();
    this.#ahead.drop(() => true);
    reader.assigned([...this.#assigned]);
  }

  /** @param payload kafkajs's own, or that of our patched fetch. */
  #progressed(
    payload: object | FetchProgress,
    { consumer, reader }: { readonly consumer: Consumer; readonly reader: SourceReader },
  ): void {
    if (!("isBack" in payload)) return;
    const { partitions, isBusy, throttledMs, isBack } = payload;
    if (isBusy) { for (const id of partitions) this.signsOfLife.set(id, performance.now()); }
    this.#throttledMs += throttledMs;
    // The topic may have been recreated while its broker was away.
    if (isBack) this.#startOver(consumer, reader);
  }

  /** Lets kafkajs continue once memory allows; remains a live member of the group until then. */
  async #waitForRoom(payload: EachBatchPayload): Promise<void> {
    while (!await this.#ahead.room(HEARTBEAT_INTERVAL_MS)) {
      await payload.heartbeat(); // throws when the group rebalances: kafkajs joins again
    }
    try {
      payload.resolveOffset(payload.batch.lastOffset());
    } catch { // the partition was lost while waiting
    }
  }

  /** Commits to Kafka, where its tools compute the lag; one request at a time, with the newest offsets. */
  async #acknowledgeAll(): Promise<void> {
    try {
      const [consumer, assigned] = [this.#consumer, this.#assigned];
      while (consumer && this.#toAcknowledge.size > 0) {
        const offsets = Array.from(this.#toAcknowledge, ([partition, position]) => ({
          topic: this.#config.topic,
          partition,
          offset: String(position),
        })).filter(({ partition }) => assigned.has(partition));
        this.#toAcknowledge.clear();
        await consumer.commitOffsets(offsets);
      }
    } catch { // nothing depends on it, and the next commit includes it
    }
  }

  async #leave(): Promise<void> {
    const consumer = this.#consumer;
    if (!consumer) return;
    // Disconnected while it joins, kafkajs would reconnect, join, and keep its partitions forever.
    const quiet = Promise.all([this.#started, this.#acknowledging]);
    this.#consumer = null; // no further requests
    this.#assigned = new Set();
    await withTimeout(LEAVE_TIMEOUT_MS, quiet.then(() => consumer.disconnect()));
  }
}

/** Our decoder puts a whole record batch where kafkajs expects a message. */
function toFetched(batch: Batch): Fetched {
  const { partition, fetchedOffset, highWatermark, messages } = batch as unknown as FetchedBatch;
  return {
    partition,
    fetchedOffset: Number(fetchedOffset),
    nextOffset: Number(batch.lastOffset()) + 1,
    endOffset: Number(highWatermark),
    batches: messages.map((message) => message.batch),
  };
}

/** kafkajs's batch, with what its types omit and our decoder adds. */
interface FetchedBatch {
  readonly partition: number;
  readonly fetchedOffset: string;
  readonly highWatermark: string;
  readonly messages: readonly BatchMessage[];
}

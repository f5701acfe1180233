/**
 * `start --once`: counts up to the ends that the log has now, and exits.
 * @module
 */

import { Condition } from "../condition.ts";
import type { Config } from "../core/config.ts";
import { isPassing, OperatorError } from "../core/failure.ts";
import type { LogRange } from "../core/log_range.ts";
import type { Commit } from "../core/pending.ts";
import type { PipelineObserver } from "../endpoints.ts";
import { createKafka, KafkaCluster } from "../io/kafka/client.ts";
import { KafkaSource } from "../io/kafka/source.ts";
import { log } from "../io/logs.ts";
import { progressBar, type Terminal } from "../io/terminal.ts";
import type { StartOptions } from "./start.ts";
import { Worker } from "./worker.ts";

export interface StartOnceOptions extends StartOptions {
  readonly terminal: Terminal;
}

/** How often the stored offsets are read: other workers may move them too. */
const POLL_MS = 500;

/**
 * Resolves when every partition's stored offset has reached its end, whoever got there.
 * @throws {OperatorError} if the topic does not exist, or if the signal aborts before the end.
 */
export async function startOnce(
  config: Config,
  { signal, terminal }: StartOnceOptions,
): Promise<void> {
  const { kafka, databaseUrl } = config;
  const client = await createKafka(kafka);
  await using cluster = new KafkaCluster(client, kafka);
  if (!await cluster.hasTopic()) {
    throw new OperatorError(
      `Cannot count the topic ${kafka.topic}: it does not exist. Create it, or set KAFKA_TOPIC to another.`,
    );
  }
  const ranges = await cluster.logRanges();
  const clusterId = await cluster.id();

  const progress = new Progress(ranges, terminal);
  await using worker = new Worker({ config, databaseUrl, observers: [progress] });
  await using source = new KafkaSource(client, { config: kafka, cluster });
  const ended = new AbortController();
  const stopping = AbortSignal.any([signal, ended.signal]);
  const running = worker.run(source, { clusterId, topic: kafka.topic, signal: stopping });
  const hasReached = async () => reaches(await worker.storedOffsets(kafka.topic), ranges);
  try {
    await Promise.race([running, progress.until(hasReached, stopping)]);
  } finally {
    ended.abort();
    terminal.endStatus();
  }
  await running;
  if (!await hasReached()) {
    throw new OperatorError(
      "Stopped before the end of the topic was reached. What was counted is kept: start again to go on.",
    );
  }
  log.info("Counted {events} events and kept {deadLetters} dead letters in {seconds} s", {
    events: progress.events,
    deadLetters: progress.deadLetters,
    seconds: progress.seconds.toFixed(1),
  });
}

/** True if every partition with records is stored up to its end. */
function reaches(
  stored: ReadonlyMap<number, number>,
  ranges: ReadonlyMap<number, LogRange>,
): boolean {
  return Array.from(ranges).every(([partition, { startOffset, endOffset }]) =>
    (stored.get(partition) ?? startOffset) >= endOffset
  );
}

/** How much of the log has been counted, as a bar on the terminal. */
class Progress implements Partial<PipelineObserver> {
  events = 0;
  deadLetters = 0;
  readonly #ranges: ReadonlyMap<number, LogRange>;
  readonly #terminal: Terminal;
  readonly #changed = new Condition();
  #startedAt: number | null = null;
  /** Records between where we started and the ends. */
  #total = 0;

  constructor(ranges: ReadonlyMap<number, LogRange>, terminal: Terminal) {
    this.#ranges = ranges;
    this.#terminal = terminal;
  }

  /** Time since the first positions were known. */
  get seconds(): number {
    return this.#startedAt === null ? 0 : (performance.now() - this.#startedAt) / 1000;
  }

  positioned(positions: ReadonlyMap<number, number>): void {
    this.#startedAt ??= performance.now();
    let left = 0;
    for (const [partition, position] of positions) {
      left += Math.max(0, (this.#ranges.get(partition)?.endOffset ?? 0) - position);
    }
    this.#total = this.#done + left;
    this.#changed.notify();
  }

  committed({ events, deadLetters }: Commit): void {
    this.events += events;
    this.deadLetters += deadLetters.length;
    this.#changed.notify();
    const { seconds } = this;
    this.#terminal.showStatus(
      progressBar({ done: this.#done, total: this.#total, unit: "records", seconds }),
    );
  }

  /** Resolves once `isReached`, looked at after each commit and now and then; or when the signal aborts. */
  async until(isReached: () => Promise<boolean>, signal: AbortSignal): Promise<void> {
    await this.#changed.until(() => this.#startedAt !== null, { signal });
    while (!signal.aborted) {
      try {
        if (await isReached()) return;
      } catch (error) {
        if (!isPassing(error)) throw error;
      }
      await this.#changed.next({ timeoutMs: POLL_MS, signal });
    }
  }

  get #done(): number {
    return this.events + this.deadLetters;
  }
}

/**
 * `start --once`: counts up to the current ends of the log, and exits.
 * @module
 */

import { Condition } from "../../async/condition.ts";
import { runTaskGroup } from "../../async/task_group.ts";
import { isPassing, OperatorError } from "../../core/failure.ts";
import type { LogRange } from "../../core/offsets/log_range.ts";
import type { Config } from "../../core/settings/config.ts";
import { progressBar } from "../../core/text/progress_bar.ts";
import type { Commit } from "../../core/windowing/pending.ts";
import { createKafka } from "../../io/kafka/client.ts";
import { KafkaCluster } from "../../io/kafka/cluster.ts";
import { ConsumerGroup } from "../../io/kafka/group/consumer_group.ts";
import { kafkaOrigin } from "../../io/kafka/origin.ts";
import { KafkaSource } from "../../io/kafka/source.ts";
import { log } from "../../io/logs.ts";
import type { Terminal } from "../../io/terminal.ts";
import type { PipelineObserver } from "../../pipeline/observer.ts";
import { Worker } from "../../worker/worker.ts";
import type { StartOptions } from "./start.ts";

/** How often the stored offsets are read: other workers may move them too. */
const POLL_MS = 500;

/**
 * Resolves when every partition's stored offset has reached its end, whichever worker got there.
 * Does not wait for a system that is down at the start.
 * @throws {OperatorError} if the signal aborts before the end.
 */
export async function startOnce(
  config: Config,
  { signal, terminal }: StartOptions,
): Promise<void> {
  const progress = new Progress(terminal);
  await using worker = new Worker({
    config,
    databaseUrl: config.databaseUrl,
    sendsAlerts: true,
    observers: [progress],
  });
  const ended = new AbortController();
  const stopping = AbortSignal.any([signal, ended.signal]);
  const hasReached = async () =>
    reaches(await worker.storedOffsets(config.kafka.topic), progress.logAtStart);
  await worker.guard(async () => {
    const kafka = await createKafka(config.kafka, worker.id);
    await using cluster = new KafkaCluster(kafka, config.kafka);
    const origin = await kafkaOrigin(cluster);
    const ranges = progress.logAtStart = await cluster.logRanges();
    const awaitedEnds = new Map(
      Array.from(ranges, ([partition, { endOffset }]) => [partition, endOffset]),
    );
    const epoch = await worker.prepare(origin);
    await using source = new KafkaSource(kafka, { config: config.kafka, cluster });
    await using group = new ConsumerGroup(kafka, config.kafka);
    await runTaskGroup([
      worker.count(source, { epoch, signal: stopping, group, awaitedEnds }),
      progress.until(hasReached, stopping),
    ], { ended, stopping });
  });

  terminal.endStatus();
  if (!await hasReached()) {
    throw new OperatorError(
      "Stopped before the end of the topic was reached. What was counted is kept: start again to continue.",
    );
  }
  progress.report();
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
  logAtStart: ReadonlyMap<number, LogRange> = new Map();
  readonly #terminal: Terminal;
  readonly #changed = new Condition();
  #startedAt: number | null = null;
  #committedAt = 0;
  /** Records between where we started and the ends. */
  #total = 0;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  /** Time between the first positions and the last commit, without leaving the group after it. */
  get seconds(): number {
    return Math.max(0, this.#committedAt - (this.#startedAt ?? 0)) / 1000;
  }

  positioned(positions: ReadonlyMap<number, number>): void {
    this.#startedAt ??= performance.now();
    let left = 0;
    for (const [partition, position] of positions) {
      left += Math.max(0, (this.logAtStart.get(partition)?.endOffset ?? 0) - position);
    }
    this.#total = this.#done + left;
    this.#changed.notify();
  }

  committed({ events, deadLetters }: Commit): void {
    this.events += events;
    this.deadLetters += deadLetters.length;
    this.#committedAt = performance.now();
    this.#changed.notify();
    const { seconds } = this;
    this.#terminal.showStatus((columns) =>
      progressBar({ done: this.#done, total: this.#total, unit: "records", seconds, columns })
    );
  }

  report(): void {
    log.info(
      "Counted {events} events and kept {deadLetters} dead letters in {seconds} s: {perSecond} records/s",
      {
        events: this.events,
        deadLetters: this.deadLetters,
        seconds: Math.round(this.seconds * 10) / 10,
        perSecond: Math.round(this.#done / Math.max(this.seconds, 0.001)),
      },
    );
  }

  /** Resolves once `isReached`, asked after each commit and periodically; or when the signal aborts. */
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

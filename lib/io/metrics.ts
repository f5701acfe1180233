/**
 * Numbers about a running worker, for Prometheus.
 * @module
 */

import { Counter, Gauge, Histogram, Registry } from "prom-client";
import { DEAD_LETTER_REASONS } from "../core/dead_letters/dead_letter.ts";
import type { LastingGap } from "../core/offsets/lasting_gaps.ts";
import { latenciesOf } from "../core/stats/latency.ts";
import type { Commit } from "../core/windowing/pending.ts";
import type { CoverageObserver, PipelineObserver, System } from "../pipeline/observer.ts";
import { VERSION } from "./version.ts";

export interface MetricsOptions {
  readonly topic: string;
  /** See `LatencyClock`; 0 if not given. */
  readonly latencySinceMs?: number | undefined;
}

export class Metrics implements Partial<PipelineObserver & CoverageObserver> {
  readonly #registry = new Registry();
  readonly #topic: string;
  readonly #latencySinceMs: number;

  readonly #events = new Counter({
    name: "lottery_events_total",
    help: "Events counted and committed.",
    registers: [this.#registry],
  });
  readonly #deadLetters = new Counter({
    name: "lottery_dead_letters_total",
    help: "Records kept as dead letters, by reason.",
    labelNames: ["reason"],
    registers: [this.#registry],
  });
  readonly #lateEvents = new Counter({
    name: "lottery_late_events_total",
    help: "Events counted after their window was closed.",
    registers: [this.#registry],
  });
  readonly #lostRecords = new Counter({
    name: "lottery_lost_records_total",
    help: "Offsets that Kafka had deleted before they were read (ON_DATA_LOSS=continue).",
    registers: [this.#registry],
  });
  readonly #commits = new Counter({
    name: "lottery_commits_total",
    help: "Commits to the database.",
    registers: [this.#registry],
  });
  readonly #commitSeconds = new Histogram({
    name: "lottery_commit_seconds",
    help: "Duration of a commit to the database, with its retries.",
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
    registers: [this.#registry],
  });
  readonly #latency = new Histogram({
    name: "lottery_event_latency_seconds",
    help: "From the timestamp of a record batch's first record to its commit.",
    buckets: [0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1, 2, 5, 10, 30, 60, 300, 3600],
    registers: [this.#registry],
  });
  readonly #lag = new Gauge({
    name: "lottery_consumer_lag",
    help:
      "Records that wait in each partition of the topic, whichever worker has it: of several workers' take the greatest.",
    labelNames: ["topic", "partition"],
    registers: [this.#registry],
  });
  readonly #uncounted = new Gauge({
    name: "lottery_uncounted_partitions",
    help: "Partitions of the topic that no worker has counted for half a minute.",
    registers: [this.#registry],
  });
  readonly #fenced = new Counter({
    name: "lottery_fenced_commits_total",
    help: "Commits refused because another worker had moved a partition, or the horizon.",
    registers: [this.#registry],
  });
  readonly #throttled = new Counter({
    name: "lottery_throttled_seconds_total",
    help: "Time that Kafka's quotas made the worker wait.",
    registers: [this.#registry],
  });
  readonly #retries = new Counter({
    name: "lottery_retries_total",
    help: "Tries that failed and were repeated, by system.",
    labelNames: ["system"],
    registers: [this.#registry],
  });
  readonly #published = new Counter({
    name: "lottery_published_total",
    help: "Counts of closed windows that the output topic has taken.",
    registers: [this.#registry],
  });
  readonly #watermark = new Gauge({
    name: "lottery_watermark_seconds",
    help: "Event time up to which all partitions have been read, in seconds since 1970.",
    registers: [this.#registry],
  });

  /** Partitions whose lag the worker knows by its own position. */
  readonly #own = new Set<number>();

  constructor({ topic, latencySinceMs = 0 }: MetricsOptions) {
    this.#topic = topic;
    this.#latencySinceMs = latencySinceMs;
    new Gauge({
      name: "lottery_build_info",
      help: "1, with the version of the program as a label.",
      labelNames: ["version"],
      registers: [this.#registry],
    }).set({ version: VERSION }, 1);
    for (const reason of DEAD_LETTER_REASONS) this.#deadLetters.inc({ reason }, 0);
    for (const system of ["source", "group", "sink"]) this.#retries.inc({ system }, 0);
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  async text(): Promise<string> {
    return await this.#registry.metrics();
  }

  assigned(): void {
    this.#own.clear();
    this.#lag.reset(); // partitions of before may be another worker's now
  }

  committed(commit: Commit, seconds: number): void {
    this.#events.inc(commit.events);
    this.#lateEvents.inc(commit.lateEvents);
    for (const [reason, letters] of commit.deadLetters.countByReason()) {
      this.#deadLetters.inc({ reason }, letters);
    }
    for (const { from, to } of commit.lostRanges) this.#lostRecords.inc(to - from);
    this.#commits.inc();
    this.#commitSeconds.observe(seconds);
    const clock = { nowMs: Date.now(), sinceMs: this.#latencySinceMs };
    for (const latencyMs of latenciesOf(commit, clock)) this.#latency.observe(latencyMs / 1000);
  }

  fenced(): void {
    this.#fenced.inc();
  }

  failed(system: System): void {
    this.#retries.inc({ system: system === "commit" || system === "query" ? "sink" : system });
    if (system === "source") this.#lag.reset(); // not known any more
  }

  unavailable(partitions: ReadonlyMap<number, string>): void {
    for (const partition of partitions.keys()) {
      this.#own.delete(partition);
      this.#lag.remove(this.#labels(partition));
    }
  }

  throttled(ms: number): void {
    this.#throttled.inc(ms / 1000);
  }

  lag(lags: ReadonlyMap<number, number>): void {
    for (const [partition, records] of lags) {
      this.#own.add(partition);
      this.#setLag(partition, records);
    }
  }

  lagOfAll(lags: ReadonlyMap<number, number>): void {
    for (const [partition, records] of lags) {
      if (!this.#own.has(partition)) this.#setLag(partition, records);
    }
  }

  uncounted(gaps: readonly LastingGap[]): void {
    this.#uncounted.set(gaps.length);
  }

  published(counts: number): void {
    this.#published.inc(counts);
  }

  watermark(watermarkMs: number | null): void {
    if (watermarkMs !== null) this.#watermark.set(watermarkMs / 1000);
  }

  #setLag(partition: number, records: number): void {
    this.#lag.set(this.#labels(partition), records);
  }

  #labels(partition: number): { topic: string; partition: string } {
    return { topic: this.#topic, partition: String(partition) };
  }
}

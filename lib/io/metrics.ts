/**
 * Numbers about a running worker, for Prometheus.
 * @module
 */

import { Counter, Gauge, Histogram, Registry } from "prom-client";
import { DEAD_LETTER_REASONS } from "../core/dead_letter.ts";
import type { Commit } from "../core/pending.ts";
import type { PipelineObserver, System } from "../endpoints.ts";

export interface MetricsOptions {
  readonly topic: string;
}

export class Metrics implements Partial<PipelineObserver> {
  readonly #registry = new Registry();
  readonly #topic: string;

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
    help: "Records between the worker's position and the end of each of its partitions.",
    labelNames: ["topic", "partition"],
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

  constructor({ topic }: MetricsOptions) {
    this.#topic = topic;
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
    const now = Date.now();
    for (const timestampMs of commit.batchTimestampsMs) {
      if (timestampMs >= 0 && timestampMs <= now) this.#latency.observe((now - timestampMs) / 1000);
    }
  }

  fenced(): void {
    this.#fenced.inc();
  }

  failed(system: System): void {
    this.#retries.inc({ system: system === "looks" ? "sink" : system });
  }

  throttled(ms: number): void {
    this.#throttled.inc(ms / 1000);
  }

  lag(lags: ReadonlyMap<number, number>): void {
    for (const [partition, records] of lags) {
      this.#lag.set({ topic: this.#topic, partition: String(partition) }, records);
    }
  }

  published(counts: number): void {
    this.#published.inc(counts);
  }

  watermark(watermarkMs: number | null): void {
    if (watermarkMs !== null) this.#watermark.set(watermarkMs / 1000);
  }
}

/**
 * Numbers about a running worker, for Prometheus.
 * @module
 */

import { Counter, Gauge, Histogram, Registry } from "prom-client";
import { DEAD_LETTER_REASONS } from "../core/dead_letters/dead_letter.ts";
import { latenciesOf } from "../core/stats/latency.ts";
import type { Commit } from "../core/windowing/pending.ts";
import type { WorkerState } from "../observers/worker_state.ts";
import type { PipelineObserver, System } from "../pipeline/observer.ts";
import { VERSION } from "./version.ts";

export interface MetricsOptions {
  readonly topic: string;
  readonly state: WorkerState;
}

/**
 * Counters follow the pipeline; gauges are read from the worker's state when they are scraped. One
 * that is not known yet has no value: 0 would be a verdict, or a time 50 years ago.
 */
export class Metrics implements Partial<PipelineObserver> {
  readonly #registry = new Registry();
  readonly #state: WorkerState;

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
    help: "Time from the timestamp of a record batch's first record to its commit.",
    buckets: [0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1, 2, 5, 10, 30, 60, 300, 3600],
    registers: [this.#registry],
  });
  readonly #fenced = new Counter({
    name: "lottery_fenced_commits_total",
    help: "Commits refused because a partition or the horizon had moved meanwhile.",
    registers: [this.#registry],
  });
  readonly #throttled = new Counter({
    name: "lottery_throttled_seconds_total",
    help: "Time that the worker has waited because of Kafka's quotas.",
    registers: [this.#registry],
  });
  readonly #retries = new Counter({
    name: "lottery_retries_total",
    help: "Failed attempts that were retried, by system.",
    labelNames: ["system"],
    registers: [this.#registry],
  });
  readonly #published = new Counter({
    name: "lottery_published_total",
    help: "Counts of closed windows that the output topic has accepted.",
    registers: [this.#registry],
  });

  constructor({ topic, state }: MetricsOptions) {
    this.#state = state;
    for (const reason of DEAD_LETTER_REASONS) this.#deadLetters.inc({ reason }, 0);
    for (const system of ["source", "group", "sink"]) this.#retries.inc({ system }, 0);
    const registers = [this.#registry];
    new Gauge({
      name: "lottery_build_info",
      help: "Version of the program; always 1.",
      labelNames: ["version"],
      registers,
    }).set({ version: VERSION }, 1);
    new Gauge({
      name: "lottery_consumer_lag",
      help:
        "Records waiting in each partition of the topic, reported by every worker: take the maximum.",
      labelNames: ["topic", "partition"],
      registers,
      collect() {
        this.reset();
        for (const [partition, records] of state.lags) {
          this.set({ topic, partition: String(partition) }, records);
        }
      },
    });
    const gauge = (name: string, help: string, read: () => number | null) =>
      new Gauge({
        name,
        help,
        registers,
        collect() {
          const value = read();
          if (value === null) this.remove();
          else this.set(value);
        },
      });
    gauge(
      "lottery_uncounted_partitions",
      "Partitions of the topic that no worker has counted for half a minute.",
      () => state.gaps && state.gaps.length,
    );
    gauge(
      "lottery_watermark_seconds",
      "Event time up to which all partitions have been read, in seconds since 1970.",
      () => state.watermarkMs && state.watermarkMs / 1000,
    );
    gauge(
      "lottery_audit_wrong_rows",
      "Rows and sums that the last round of audit --watch has found wrong.",
      () => state.audit && state.audit.wrong,
    );
    gauge(
      "lottery_audit_timestamp_seconds",
      "When the last round of audit --watch has read the tables, in seconds since 1970.",
      () => state.audit && state.audit.atMs / 1000,
    );
    gauge(
      "lottery_books_difference",
      "Events that were counted, by the ledger, and are not in the hours; should be 0.",
      () => state.booksDifference,
    );
    gauge(
      "lottery_quiet_lotteries",
      "Lotteries and event types that have far fewer events than in other weeks.",
      () => state.quietLotteries,
    );
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  async text(): Promise<string> {
    return await this.#registry.metrics();
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
    const clock = { nowMs: Date.now(), sinceMs: this.#state.latencySinceMs };
    for (const latencyMs of latenciesOf(commit, clock)) this.#latency.observe(latencyMs / 1000);
  }

  fenced(): void {
    this.#fenced.inc();
  }

  failed(system: System): void {
    this.#retries.inc({ system: system === "commit" || system === "query" ? "sink" : system });
  }

  throttled(ms: number): void {
    this.#throttled.inc(ms / 1000);
  }

  published(counts: number): void {
    this.#published.inc(counts);
  }
}

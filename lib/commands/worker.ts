/**
 * A worker: a pipeline with its database, web server, metrics and logs. What
 * `start` and `demo` have in common; they differ in the source.
 * @module
 */

import type { Config } from "../core/config.ts";
import { EVENT_RULES_VERSION, EventParser } from "../core/event.ts";
import type { PipelineObserver, Source, System } from "../endpoints.ts";
import { Health } from "../io/health.ts";
import { createHandler, listen, type WebServer } from "../io/http.ts";
import { log, LogObserver } from "../io/logs.ts";
import { Metrics } from "../io/metrics.ts";
import { Connection } from "../io/postgres/connection.ts";
import { claimPipeline } from "../io/postgres/identity.ts";
import { migrate } from "../io/postgres/migrate.ts";
import { recentCounts, storedOffsets } from "../io/postgres/reader.ts";
import { PostgresSink } from "../io/postgres/sink.ts";
import { Outages } from "../outages.ts";
import { Pipeline } from "../pipeline.ts";

export interface WorkerOptions {
  readonly config: Config;
  readonly databaseUrl: string;
  /** Told what the pipeline does, besides metrics, logs and health. */
  readonly observers?: readonly Partial<PipelineObserver>[];
}

const MAX_PAGE_ROWS = 500;
/** Longer than any rebalance takes. */
const STALL_MS = 30_000;

export class Worker implements AsyncDisposable {
  readonly #config: Config;
  readonly #observer: PipelineObserver;
  readonly #outages: Outages;
  readonly #health = new Health();
  readonly #metrics: Metrics;
  readonly #sinkConnection: Connection;
  /** The page's own: its queries do not wait for commits, nor commits for them. */
  readonly #pageConnection: Connection;

  constructor({ config, databaseUrl, observers = [] }: WorkerOptions) {
    this.#config = config;
    this.#metrics = new Metrics({ topic: config.kafka.topic });
    this.#observer = observeAll([this.#health, this.#metrics, new LogObserver(), ...observers]);
    this.#outages = new Outages(this.#observer);
    this.#sinkConnection = new Connection(databaseUrl);
    this.#pageConnection = new Connection(databaseUrl);
  }

  /** Serves page, metrics and health from now on, before anything else is there. */
  serve(): WebServer {
    const handler = createHandler({
      health: this.#health,
      metrics: this.#metrics,
      recentCounts: () => recentCounts(this.#pageConnection, MAX_PAGE_ROWS),
    });
    const server = listen(handler, { host: this.#config.httpHost, port: this.#config.httpPort });
    log.info("Page on {url}, metrics on {url}metrics", { url: server.url });
    return server;
  }

  /** Next offset of each partition as the database has it, whoever counted up to there. */
  storedOffsets(topic: string): Promise<ReadonlyMap<number, number>> {
    return storedOffsets(this.#pageConnection, topic);
  }

  /** Asks until there is an answer, the signal aborts or a person is needed; says once that it waits. */
  async ask<T>(
    system: System,
    question: () => Promise<T>,
    signal: AbortSignal,
  ): Promise<T> {
    return await this.#outages.ask(system, question, signal);
  }

  /** Brings the database up to date and counts into it until the signal aborts or the source ends. */
  async run(
    source: Source,
    { clusterId, topic, signal }: {
      readonly clusterId: string;
      readonly topic: string;
      readonly signal: AbortSignal;
    },
  ): Promise<void> {
    const { groupId } = this.#config.kafka;
    const { windowMs, graceMs, maxFutureMs, commitIntervalMs, onDataLoss } = this.#config;
    const prepare = async () => {
      const applied = await migrate(this.#sinkConnection);
      if (applied.length > 0) {
        log.info("Migrated the database: {applied}", { applied: applied.join(", ") });
      }
      return await claimPipeline(this.#sinkConnection, {
        clusterId,
        topic,
        groupId,
        windowSeconds: windowMs / 1000,
        maxFutureSeconds: maxFutureMs / 1000,
        eventRules: EVENT_RULES_VERSION,
      });
    };
    const epoch = await this.ask("sink", prepare, signal);
    const pipeline = new Pipeline({
      source,
      sink: new PostgresSink(this.#sinkConnection, { topic, epoch, maxFutureMs }),
      observer: this.#observer,
      parser: new EventParser({ maxFutureMs }),
      windowMs,
      graceMs,
      commitIntervalMs,
      onDataLoss,
      stallMs: STALL_MS,
    });
    await pipeline.run(signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#sinkConnection[Symbol.asyncDispose]();
    await this.#pageConnection[Symbol.asyncDispose]();
  }
}

/** One observer that tells all of them. */
function observeAll(observers: readonly Partial<PipelineObserver>[]): PipelineObserver {
  return {
    assigned: (partitions) => observers.forEach((each) => each.assigned?.(partitions)),
    positioned: (positions) => observers.forEach((each) => each.positioned?.(positions)),
    committed: (commit, seconds) => observers.forEach((each) => each.committed?.(commit, seconds)),
    fenced: (error) => observers.forEach((each) => each.fenced?.(error)),
    failed: (system, error) => observers.forEach((each) => each.failed?.(system, error)),
    answered: (system) => observers.forEach((each) => each.answered?.(system)),
    abandoned: (error) => observers.forEach((each) => each.abandoned?.(error)),
    stalled: (partitions) => observers.forEach((each) => each.stalled?.(partitions)),
    lag: (lags) => observers.forEach((each) => each.lag?.(lags)),
    watermark: (watermarkMs) => observers.forEach((each) => each.watermark?.(watermarkMs)),
  };
}

/**
 * A worker: a pipeline with its database, web server, metrics and logs. What
 * `start` and `demo` have in common; they differ in the source.
 * @module
 */

import { isPassing } from "../core/failure.ts";
import { WORKER_PREFIX } from "../core/offsets/coverage.ts";
import type { Origin } from "../core/offsets/origin.ts";
import type { Config } from "../core/settings/config.ts";
import { EventParser } from "../core/windowing/event.ts";
import { type DemoStatus, StatusBoard } from "../io/http/pipeline_status.ts";
import type { WebServer } from "../io/http/server/listen.ts";
import type { ConsumerGroup } from "../io/kafka/group/consumer_group.ts";
import { log, LogObserver } from "../io/logs.ts";
import { Metrics } from "../io/metrics.ts";
import { areHoursMissing } from "../io/postgres/hours.ts";
import { claimOf, claimPipeline } from "../io/postgres/identity.ts";
import { forgetQuiet } from "../io/postgres/quiet.ts";
import { readOverview } from "../io/postgres/queries/overview.ts";
import { storedOffsets } from "../io/postgres/queries/progress.ts";
import { migrateForWorker } from "../io/postgres/schema/migrate.ts";
import { Connection } from "../io/postgres/session/connection.ts";
import { PostgresSink } from "../io/postgres/sink.ts";
import { newSha256 } from "../io/sha256.ts";
import { WorkerState } from "../observers/worker_state.ts";
import { Availability } from "../pipeline/availability.ts";
import { FenceGuard } from "../pipeline/commit/fence_guard.ts";
import type { CoverageObserver, PipelineObserver, System } from "../pipeline/observer.ts";
import { Pipeline } from "../pipeline/pipeline.ts";
import type { Output } from "../pipeline/publisher.ts";
import type { Sink } from "../pipeline/sink.ts";
import type { Source } from "../pipeline/source.ts";
import { WorkerAlerts } from "./alerts.ts";
import { BooksMonitor } from "./books_monitor.ts";
import { CoverageMonitor } from "./coverage_monitor.ts";
import { Heartbeat } from "./heartbeat.ts";
import { Publishing } from "./publishing.ts";
import { QuietWatch } from "./quiet_watch.ts";
import { Upkeep } from "./upkeep.ts";
import { serve } from "./web_server.ts";

type Observer = Partial<PipelineObserver & CoverageObserver>;

export interface WorkerOptions {
  readonly config: Config;
  readonly databaseUrl: string;
  /** Whether operators are mailed about problems. */
  readonly sendsAlerts: boolean;
  readonly state?: WorkerState;
  /** Observers in addition to metrics, logs and mails. */
  readonly observers?: readonly Observer[];
  /** Only in a demo: what its page says of it. */
  readonly demo?: (() => DemoStatus) | undefined;
  /** Only in a demo: what stands between the pipeline and its sink. */
  readonly harmed?: ((sink: Sink) => Sink) | undefined;
}

/** Longer than any rebalance takes. */
const STALL_MS = 30_000;
const STOP_TIMEOUT_MS = 5_000;
/** Idle time after which a rarely used session is closed. */
const IDLE_MS = 20_000;

/** Everything that runs beside and around one pipeline. */
export class Worker implements AsyncDisposable {
  readonly #config: Config;
  readonly #databaseUrl: string;
  /** Identifies the worker in the database and in Kafka. */
  readonly id = `${WORKER_PREFIX}${crypto.randomUUID().slice(0, 8)}`;
  readonly #harmed: (sink: Sink) => Sink;
  readonly #observer: PipelineObserver & CoverageObserver;
  readonly #availability: Availability;
  readonly #metrics: Metrics;
  readonly #state: WorkerState;
  readonly #board: StatusBoard;
  /** For the pipeline alone. */
  readonly #commits: Connection;
  /** For the page and other queries: they do not wait for commits, nor commits for them. */
  readonly #queries: Connection;
  readonly #alerts: WorkerAlerts | null;
  readonly #heartbeat: Heartbeat;
  readonly #upkeep: Upkeep;
  readonly #books: BooksMonitor;
  readonly #quietWatch: QuietWatch | null;

  constructor(options: WorkerOptions) {
    const { config, databaseUrl, sendsAlerts, observers = [], demo } = options;
    const state = this.#state = options.state ?? new WorkerState();
    this.#config = config;
    this.#databaseUrl = databaseUrl;
    this.#harmed = options.harmed ?? ((sink) => sink);
    const { topic, groupId } = config.kafka;
    this.#metrics = new Metrics({ topic, state });
    const workerId = this.id;
    const host = sendsAlerts ? Deno.hostname() : "localhost"; // nobody else has to find it
    this.#commits = new Connection(databaseUrl, workerId);
    this.#queries = new Connection(databaseUrl, workerId);
    this.#board = new StatusBoard({
      ...{ topic, groupId, workerId, state, demo },
      readOverview: () => readOverview(this.#queries, topic),
    });
    this.#alerts = sendsAlerts
      ? new WorkerAlerts({ config, connection: this.#queries, host, state })
      : null;
    this.#heartbeat = new Heartbeat({
      connection: new Connection(databaseUrl, workerId),
      ...{ workerId, host, state },
      onDeath: (worker) => this.#alerts?.died(worker),
    });
    this.#upkeep = new Upkeep(config, new Connection(databaseUrl, workerId, { idleMs: IDLE_MS }));
    this.#books = new BooksMonitor({
      connection: new Connection(databaseUrl, workerId, { idleMs: IDLE_MS }),
      ...{ state, alerts: this.#alerts },
    });
    this.#quietWatch = config.quiet
      ? new QuietWatch({
        ...{ windowMs: config.windowMs, graceMs: config.graceMs, quiet: config.quiet, state },
        connection: new Connection(databaseUrl, workerId, { idleMs: IDLE_MS }),
        onChange: (alert) => this.#alerts?.announce(alert),
      })
      : null;
    const logs = new LogObserver();
    state.notifyOfOutages(logs);
    this.#observer = observeAll([
      state, // first, because others read it
      this.#metrics,
      logs,
      ...this.#alerts?.observers ?? [],
      ...observers,
    ]);
    this.#availability = new Availability(this.#observer);
  }

  /** Serves page, metrics and health, even before Kafka and PostgreSQL answer. */
  serve(): WebServer {
    const config = this.#config;
    const [state, metrics, board] = [this.#state, this.#metrics, this.#board];
    const connection = new Connection(this.#databaseUrl, this.id, { idleMs: IDLE_MS });
    const server = serve({ config, connection, state, metrics, board });
    log.info("Page on {url}, metrics on {url}metrics", { url: server.url });
    return server;
  }

  /** Does the worker's work; a failure that requires an operator is mailed before it is thrown. */
  async guard(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (!isPassing(error)) this.#alerts?.stopped(error);
      throw error;
    }
  }

  /** Retries until it succeeds, the signal aborts or an operator is required; logs once that it waits. */
  retry<T>(system: System, operation: () => Promise<T>, signal: AbortSignal): Promise<T> {
    return this.#availability.retry(system, operation, signal);
  }

  /** Next offset of each partition as the database has it, whichever worker counted up to it. */
  storedOffsets(topic: string): Promise<ReadonlyMap<number, number>> {
    return storedOffsets(this.#queries, topic);
  }

  /**
   * Brings the database up to date and makes sure that it has no other counts.
   * @returns the epoch to count in.
   */
  async prepare(origin: Origin): Promise<number> {
    await migrateForWorker(this.#commits);
    const epoch = await claimPipeline(this.#commits, claimOf(this.#config, origin));
    await this.#heartbeat.begin();
    this.#alerts?.begin();
    this.#upkeep.begin({ areHoursMissing: await areHoursMissing(this.#commits) });
    this.#books.begin();
    if (this.#quietWatch) this.#quietWatch.begin();
    else await forgetQuiet(this.#commits);
    return epoch;
  }

  /** Publishes closed windows until it is disposed; `topic` is the output's name. */
  publish(output: Output, topic: string): AsyncDisposable {
    const connection = new Connection(this.#databaseUrl, this.id);
    const [workerId, metrics] = [this.id, this.#metrics];
    return new Publishing({
      ...{ connection, workerId, output, topic, metrics },
      alertAfterMs: this.#config.alertAfterMs,
      alert: (alert) => this.#alerts?.raise(alert),
    });
  }

  /**
   * Counts until the signal aborts or the source ends.
   * @param group who else may have partitions of the topic, if there can be anyone.
   */
  async count(
    source: Source,
    { epoch, signal, group = null, awaitedEnds }: {
      readonly epoch: number;
      readonly signal: AbortSignal;
      readonly group?: ConsumerGroup | null;
      readonly awaitedEnds?: ReadonlyMap<number, number>;
    },
  ): Promise<void> {
    const { windowMs, graceMs, maxFutureMs, commitIntervalMs, onDataLoss, kafka } = this.#config;
    const { topic, groupId } = kafka;
    this.#state.reads(source);
    const sink = new PostgresSink(this.#commits, { topic, epoch, maxFutureMs, windowMs, graceMs });
    const pipeline = new Pipeline({
      source,
      sink: new FenceGuard(this.#harmed(sink)),
      observer: this.#observer,
      parser: new EventParser({ maxFutureMs }),
      windowMs,
      newSha256,
      graceMs,
      commitIntervalMs,
      onDataLoss,
      stallMs: STALL_MS,
      stopTimeoutMs: STOP_TIMEOUT_MS,
      awaitedEnds,
    });
    await using _coverage = new CoverageMonitor({
      ...{ topic, groupId, group, connection: this.#queries },
      ...{ state: this.#state, board: this.#board, observer: this.#observer },
    });
    await pipeline.run(signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#quietWatch?.[Symbol.asyncDispose](); // the alerts mail what it has found last
    await Promise.all([
      this.#heartbeat[Symbol.asyncDispose](),
      this.#alerts?.[Symbol.asyncDispose](),
    ]);
    await Promise.all(
      [this.#upkeep, this.#books, this.#commits, this.#queries]
        .map((each) => each[Symbol.asyncDispose]()),
    );
  }
}

/** One observer that forwards each call to all. */
function observeAll(observers: readonly Observer[]): PipelineObserver & CoverageObserver {
  return {
    assigned: (partitions) => observers.forEach((each) => each.assigned?.(partitions)),
    positioned: (positions) => observers.forEach((each) => each.positioned?.(positions)),
    committed: (commit, seconds) => observers.forEach((each) => each.committed?.(commit, seconds)),
    fenced: (error) => observers.forEach((each) => each.fenced?.(error)),
    failed: (system, error) => observers.forEach((each) => each.failed?.(system, error)),
    answered: (system) => observers.forEach((each) => each.answered?.(system)),
    abandoned: (error) => observers.forEach((each) => each.abandoned?.(error)),
    stalled: (partitions) => observers.forEach((each) => each.stalled?.(partitions)),
    unavailable: (partitions) => observers.forEach((each) => each.unavailable?.(partitions)),
    throttled: (ms) => observers.forEach((each) => each.throttled?.(ms)),
    ranges: (ranges) => observers.forEach((each) => each.ranges?.(ranges)),
    compacted: (isCompacted) => observers.forEach((each) => each.compacted?.(isCompacted)),
    lag: (lags) => observers.forEach((each) => each.lag?.(lags)),
    watermark: (watermarkMs) => observers.forEach((each) => each.watermark?.(watermarkMs)),
    lagOfAll: (lags) => observers.forEach((each) => each.lagOfAll?.(lags)),
    uncounted: (gaps, problems) => observers.forEach((each) => each.uncounted?.(gaps, problems)),
  };
}

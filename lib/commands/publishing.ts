/**
 * What a worker does so that closed windows are published: a publisher with its own
 * connection, beside the pipeline.
 * @module
 */

import { describe, isPassing } from "../core/failure.ts";
import { atMost } from "../condition.ts";
import { log } from "../io/logs.ts";
import type { Metrics } from "../io/metrics.ts";
import type { Connection } from "../io/postgres/connection.ts";
import { PostgresOutbox } from "../io/postgres/outbox.ts";
import { type Output, Publisher, type PublisherObserver } from "../publisher.ts";

/** What publishing is made of. */
export interface PublishingOptions {
  readonly connection: Connection;
  readonly workerId: string;
  readonly output: Output;
  /** Name of the output, for people. */
  readonly topic: string;
  readonly metrics: Metrics;
}

/** How long a round under way may hold up the end; it is repeated by whoever publishes next. */
const STOP_TIMEOUT_MS = 3_000;

/** Publishes from its making until it is disposed. */
export class Publishing implements AsyncDisposable {
  readonly #connection: Connection;
  readonly #ended = new AbortController();
  readonly #running: Promise<void>;

  constructor({ connection, workerId, output, topic, metrics }: PublishingOptions) {
    this.#connection = connection;
    const outbox = new PostgresOutbox(connection, workerId);
    const observer = new PublishingLog(topic, metrics);
    this.#running = new Publisher({ outbox, output, observer }).run(this.#ended.signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended.abort();
    await atMost(STOP_TIMEOUT_MS, this.#running);
    await this.#connection[Symbol.asyncDispose]();
  }
}

/** Counts what was published, and logs changes of state. */
class PublishingLog implements PublisherObserver {
  readonly #topic: string;
  readonly #metrics: Metrics;
  #failingSinceMs: number | null = null;

  constructor(topic: string, metrics: Metrics) {
    this.#topic = topic;
    this.#metrics = metrics;
  }

  published(counts: number): void {
    this.#metrics.published(counts);
    log.debug("Published {counts} counts to {topic}", { counts, topic: this.#topic });
  }

  failed(error: unknown): void {
    if (this.#failingSinceMs !== null) return;
    this.#failingSinceMs = Date.now();
    const [topic, reason] = [this.#topic, describe(error)];
    const text = "Cannot publish to {topic}, but goes on trying, and counting: {reason}";
    if (isPassing(error)) log.warn(text, { topic, reason });
    else log.error(text, { topic, reason });
  }

  recovered(): void {
    if (this.#failingSinceMs === null) return;
    const seconds = Math.round((Date.now() - this.#failingSinceMs) / 1000);
    this.#failingSinceMs = null;
    log.info("Publishing to {topic} works after {seconds} s", { topic: this.#topic, seconds });
  }
}

/**
 * A worker's publisher of closed windows, with its own connection, beside the pipeline.
 * @module
 */

import { withTimeout } from "../async/delay.ts";
import type { Alert } from "../core/alert.ts";
import { describe, isPassing } from "../core/failure.ts";
import { log } from "../io/logs.ts";
import type { Metrics } from "../io/metrics.ts";
import { PostgresOutbox } from "../io/postgres/outbox.ts";
import type { Connection } from "../io/postgres/session/connection.ts";
import { type Output, Publisher, type PublisherObserver } from "../pipeline/publisher.ts";

export interface PublishingOptions {
  readonly connection: Connection;
  readonly workerId: string;
  readonly output: Output;
  readonly topic: string;
  readonly metrics: Metrics;
  /** How long transient failures may last before operators are mailed. */
  readonly alertAfterMs: number;
  /** Mails operators; called repeatedly while publishing fails. */
  readonly alert: (alert: Alert) => void;
}

/** How long a round in progress may delay the shutdown; the next publisher repeats it. */
const STOP_TIMEOUT_MS = 3_000;

export class Publishing implements AsyncDisposable {
  readonly #connection: Connection;
  readonly #ended = new AbortController();
  readonly #running: Promise<void>;

  constructor(options: PublishingOptions) {
    const { connection, workerId, output } = options;
    this.#connection = connection;
    const outbox = new PostgresOutbox(connection, workerId);
    const observer = new PublishingLog(options);
    this.#running = new Publisher({ outbox, output, observer }).run(this.#ended.signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended.abort();
    await withTimeout(STOP_TIMEOUT_MS, this.#running);
    await this.#connection[Symbol.asyncDispose]();
  }
}

/** Counts what was published, logs changes of state, and raises an alert when it fails for long. */
class PublishingLog implements PublisherObserver {
  readonly #options: PublishingOptions;
  #failingSinceMs: number | null = null;

  constructor(options: PublishingOptions) {
    this.#options = options;
  }

  published(counts: number): void {
    const { metrics, topic } = this.#options;
    metrics.published(counts);
    log.debug("Published {counts} counts to {topic}", { counts, topic });
  }

  reviewed({ again, retracted }: { readonly again: number; readonly retracted: number }): void {
    const { topic } = this.#options;
    const text = "{topic} differed from the table: published again {again}, retracted {retracted}";
    if (again + retracted > 0) log.warn(text, { topic, again, retracted });
    else log.info("{topic} agrees with the table", { topic });
  }

  notReviewed(error: unknown): void {
    const { topic } = this.#options;
    const reason = describe(error);
    log.error("Cannot compare {topic} with the table; publishing continues: {reason}", {
      topic,
      reason,
    });
  }

  failed(error: unknown): void {
    const { topic, alert, alertAfterMs } = this.#options;
    const isNews = this.#failingSinceMs === null;
    const sinceMs = this.#failingSinceMs ??= Date.now();
    if (!isPassing(error) || Date.now() - sinceMs >= alertAfterMs) {
      alert({
        cause: "not_published",
        title: `Closed windows are not published to ${topic}`,
        error,
        sinceMs,
        doing: "It keeps counting, queues the closed windows, and keeps trying to publish them.",
        advice:
          "Follow the advice in the error. Everything that is waiting is published afterwards.",
      });
    }
    if (!isNews) return;
    const reason = describe(error);
    const text =
      "Cannot publish to {topic}; counting continues, and publishing is retried: {reason}";
    if (isPassing(error)) log.warn(text, { topic, reason });
    else log.error(text, { topic, reason });
  }

  recovered(): void {
    if (this.#failingSinceMs === null) return;
    const seconds = Math.round((Date.now() - this.#failingSinceMs) / 1000);
    this.#failingSinceMs = null;
    const { topic } = this.#options;
    log.info("Publishing to {topic} again after {seconds} s", { topic, seconds });
  }
}

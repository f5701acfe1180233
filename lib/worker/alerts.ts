/**
 * What a worker does so that operators hear of trouble: its mails, and a look now and then at
 * the dead letters.
 * @module
 */

import { delay } from "../async/delay.ts";
import type { Alert, Situation } from "../core/alert.ts";
import { describe } from "../core/failure.ts";
import type { Config } from "../core/settings/config.ts";
import { redacted } from "../core/settings/database_url.ts";
import { log } from "../io/logs.ts";
import { PostgresAlertClaims } from "../io/postgres/alert_claims.ts";
import { recentDeadLetters } from "../io/postgres/queries/dead_letter_counts.ts";
import type { Connection } from "../io/postgres/session/connection.ts";
import type { DeadWorker } from "../io/postgres/worker_registry.ts";
import { sendMail } from "../io/smtp.ts";
import { Alerts } from "../observers/alerts.ts";
import type { WorkerState } from "../observers/worker_state.ts";
import type { CoverageObserver, PipelineObserver } from "../pipeline/observer.ts";

/** What alarms are made of. */
export interface WorkerAlertsOptions {
  readonly config: Config;
  readonly connection: Connection;
  readonly host: string;
  readonly state: WorkerState;
}

const CHECK_INTERVAL_MS = 5_000;

/** The alarms of one worker. */
export class WorkerAlerts implements AsyncDisposable {
  readonly #config: Config;
  readonly #connection: Connection;
  readonly #state: WorkerState;
  /** None without a mail server. */
  readonly #alerting: Alerts | null;
  readonly #ended = new AbortController();
  #looking = Promise.resolve();

  constructor({ config, connection, host, state }: WorkerAlertsOptions) {
    this.#state = state;
    this.#config = config;
    this.#connection = connection;
    const { smtp } = config;
    this.#alerting = smtp
      ? new Alerts({
        channel: { send: async (mail) => void await sendMail(smtp, mail) },
        claims: new PostgresAlertClaims(connection, () => this.#isFirst()),
        state,
        situation: () => this.#situation(host),
        afterMs: config.alertAfterMs,
        intervalMs: config.alertIntervalMs,
        onFailure: (subject, error) =>
          log.error("A mail is lost: {subject}: {reason}", { subject, reason: describe(error) }),
      })
      : null;
    if (this.#alerting) state.notifyOfOutages(this.#alerting);
  }

  /** To be told what the pipeline does. */
  get observers(): Partial<PipelineObserver & CoverageObserver>[] {
    return this.#alerting ? [this.#alerting] : [];
  }

  /** Begins to look now and then, once the tables are there. */
  begin(): void {
    if (!this.#alerting) log.info("No mails are sent: SMTP_HOST is not set");
    this.#looking = this.#lookNowAndThen();
  }

  /** Mails that the worker stops because a person is needed. */
  stopped(error: unknown): void {
    this.#alerting?.stopped(error);
  }

  /** Mails what else needs a person, unless a mail about its cause was sent within the interval. */
  raise(alert: Alert): void {
    this.#alerting?.raise(alert);
  }

  /** Mails that another worker has stopped saying that it lives. */
  died({ id, host, startedMs, seenMs }: DeadWorker): void {
    this.raise({
      cause: "worker_died",
      title: `A worker on ${host} ended without a word`,
      error: new Error(
        `Worker ${id}, started at ${new Date(startedMs).toISOString()}, was last heard of at ` +
          new Date(seenMs).toISOString(),
      ),
      sinceMs: seenMs,
      doing:
        "This worker, another one, goes on: what the dead one had not committed is counted by whoever has its partitions now.",
      advice:
        `See on ${host} why it was killed (out of memory, kill -9, power), is frozen, or cannot reach PostgreSQL, ` +
        "and that it was started again.",
    });
  }

  /** Waits for mails under way. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended.abort();
    await this.#looking;
    await this.#alerting?.[Symbol.asyncDispose]();
  }

  async #lookNowAndThen(): Promise<void> {
    const { signal } = this.#ended;
    for (;;) {
      await delay(CHECK_INTERVAL_MS, signal);
      if (signal.aborted) return;
      try {
        await this.#lookAtDeadLetters();
      } catch { // the database is away, which others tell
      }
    }
  }

  async #lookAtDeadLetters(): Promise<void> {
    const reasons = await recentDeadLetters(this.#connection);
    const total = reasons.reduce((sum, { records }) => sum + records, 0);
    if (total <= this.#config.alertDeadLettersPerMinute) return;
    const list = reasons.map(({ reason, records }) => `${reason}: ${records}`).join(", ");
    this.raise({
      cause: "dead_letters",
      title: `${total} records of the last minute are no events`,
      error: new Error(list),
      sinceMs: Date.now() - 60_000,
      doing: "It goes on counting; each bad record is kept, for `dead-letters` to show and replay.",
      advice: "`dead-letters list` shows the newest ones. Look at what produces them.",
    });
  }

  /** Of workers that have no database to agree in, the one with the first partition mails; so does one that was given none yet. */
  #isFirst(): boolean {
    return this.#state.assignedPartitions?.includes(0) ?? true;
  }

  #situation(host: string): Situation {
    const { kafka, databaseUrl } = this.#config;
    return {
      host,
      groupId: kafka.groupId,
      topic: kafka.topic,
      brokers: kafka.brokers,
      database: redacted(databaseUrl),
      partitions: this.#state.ownPartitions,
      lastCommitMs: this.#state.lastCommitMs,
    };
  }
}

/**
 * A worker's mails to operators: about its pipeline, about other workers, and about dead letters.
 * @module
 */

import { delay } from "../async/delay.ts";
import type { Alert, AlertCause, AlertContext } from "../core/alert.ts";
import { describe } from "../core/failure.ts";
import type { Config } from "../core/settings/config.ts";
import { redacted } from "../core/settings/database_url.ts";
import { log } from "../io/logs.ts";
import { PostgresAlertClaims } from "../io/postgres/alert_claims.ts";
import { recentDeadLetters } from "../io/postgres/queries/dead_letter_counts.ts";
import type { Connection } from "../io/postgres/session/connection.ts";
import type { DeadWorker } from "../io/postgres/worker_registry.ts";
import { sendMail } from "../io/smtp.ts";
import { Alerts, type AlertsOptions } from "../observers/alerts.ts";
import type { WorkerState } from "../observers/worker_state.ts";
import type { CoverageObserver, PipelineObserver } from "../pipeline/observer.ts";

export interface WorkerAlertsOptions {
  readonly config: Config;
  readonly connection: Connection;
  readonly host: string;
  readonly state: WorkerState;
}

const CHECK_INTERVAL_MS = 5_000;

export class WorkerAlerts implements AsyncDisposable {
  readonly #config: Config;
  readonly #connection: Connection;
  readonly #state: WorkerState;
  readonly #alerting: Alerts | null;
  readonly #ended = new AbortController();
  #checking = Promise.resolve();

  constructor({ config, connection, host, state }: WorkerAlertsOptions) {
    this.#state = state;
    this.#config = config;
    this.#connection = connection;
    this.#alerting = openAlerts(config, {
      claims: new PostgresAlertClaims(connection, () => this.#isFirst()),
      state,
      context: () => ({
        ...contextOf(config, host),
        partitions: state.ownPartitions,
        lastCommitMs: state.lastCommitMs,
      }),
    });
    if (this.#alerting) state.notifyOfOutages(this.#alerting);
  }

  /** Those that follow the pipeline. */
  get observers(): Partial<PipelineObserver & CoverageObserver>[] {
    return this.#alerting ? [this.#alerting] : [];
  }

  /** Begins to check periodically, once the tables exist. */
  begin(): void {
    if (!this.#alerting) log.info("No mails are sent: SMTP_HOST is not set");
    this.#checking = this.#checkPeriodically();
  }

  /** Mails that the worker stops because of an error that requires an operator. */
  stopped(error: unknown): void {
    this.#alerting?.stopped(error);
  }

  /** Mails an alert, unless a mail about its cause was sent within the interval. */
  raise(alert: Alert): void {
    this.#alerting?.raise(alert);
  }

  /** Mails about what lasts, see `Alerts`. */
  lasts(alert: Alert): void {
    this.#alerting?.lasts(alert);
  }

  /** Mails that it is over, see `Alerts`. */
  over(cause: AlertCause, recovered: (sinceMs: number) => Alert): void {
    this.#alerting?.over(cause, recovered);
  }

  /** Mails an alert that no other worker mails. */
  announce(alert: Alert): void {
    this.#alerting?.announce(alert);
  }

  /** Mails that another worker no longer renews its entry. */
  died({ id, host, startedMs, seenMs }: DeadWorker): void {
    this.raise({
      cause: "worker_died",
      title: `A worker on ${host} died`,
      error: new Error(
        `Worker ${id}, started at ${new Date(startedMs).toISOString()}, was last seen at ` +
          new Date(seenMs).toISOString(),
      ),
      sinceMs: seenMs,
      doing:
        "The worker that sent this mail is running. The worker that takes over the partitions counts what the other had not committed.",
      advice:
        `On ${host}, check whether it was killed (out of memory, kill -9, power), is frozen, or cannot reach PostgreSQL, ` +
        "and whether it has been restarted.",
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended.abort();
    await this.#checking;
    await this.#alerting?.[Symbol.asyncDispose]();
  }

  async #checkPeriodically(): Promise<void> {
    const { signal } = this.#ended;
    for (;;) {
      await delay(CHECK_INTERVAL_MS, signal);
      if (signal.aborted) return;
      try {
        await this.#checkDeadLetters();
      } catch { // the database is down, which the pipeline reports
      }
    }
  }

  async #checkDeadLetters(): Promise<void> {
    const reasons = await recentDeadLetters(this.#connection);
    const total = reasons.reduce((sum, { records }) => sum + records, 0);
    if (total <= this.#config.alertDeadLettersPerMinute) return;
    const list = reasons.map(({ reason, records }) => `${reason}: ${records}`).join(", ");
    this.raise({
      cause: "dead_letters",
      title: `${total} records of the last minute are not valid events`,
      error: new Error(list),
      sinceMs: Date.now() - 60_000,
      doing: "It keeps counting. Every bad record is kept: `dead-letters` shows and replays them.",
      advice: "Check what produces them. `dead-letters list` shows the newest ones.",
    });
  }

  /** Without the database, workers cannot agree on who mails: the one with partition 0 does, or any worker not assigned yet. */
  #isFirst(): boolean {
    return this.#state.assignedPartitions?.includes(0) ?? true;
  }
}

/** Mails by the settings; null if they name no mail server. */
export function openAlerts(
  { smtp, alertAfterMs, alertIntervalMs }: Config,
  parts: Pick<AlertsOptions, "claims" | "state" | "context">,
): Alerts | null {
  if (!smtp) return null;
  return new Alerts({
    ...parts,
    channel: { send: async (mail) => void await sendMail(smtp, mail) },
    afterMs: alertAfterMs,
    intervalMs: alertIntervalMs,
    onFailure: (subject, error) =>
      log.error("Cannot send a mail: {subject}: {reason}", { subject, reason: describe(error) }),
  });
}

/** What a mail says about the pipeline, from someone who counts nothing of it. */
export function contextOf({ kafka, databaseUrl }: Config, host: string): AlertContext {
  return {
    host,
    groupId: kafka.groupId,
    topic: kafka.topic,
    brokers: kafka.brokers,
    database: redacted(databaseUrl),
    partitions: null,
    lastCommitMs: null,
  };
}

/**
 * Audits all the time: a round now, and another one every interval.
 *
 * Each round recounts what is new since the last one that found nothing wrong, and once a day
 * everything that can be proved. What is wrong stays wrong until everything was recounted again.
 * A round that could not be done leaves no row, so that readers see how old the last one is.
 * @module
 */

import { delay } from "../async/delay.ts";
import { retry } from "../async/retry.ts";
import type { AuditReport } from "../core/audit/audit.ts";
import { type AuditNote, MAX_SENTENCES, noteOf } from "../core/audit/audit_note.ts";
import type { AuditedLog } from "../core/audit/audited_log.ts";
import { describe, isPassing, UnavailableError } from "../core/failure.ts";
import { duration } from "../core/text/numbers.ts";
import { log as logger } from "../io/logs.ts";
import { type AuditState, auditState, recordAudit } from "../io/postgres/audits.ts";
import { readPipeline } from "../io/postgres/identity.ts";
import { assertUpToDate, isMigrated } from "../io/postgres/schema/migrate.ts";
import { assertMayAudit } from "../io/postgres/schema/rights.ts";
import { Connection } from "../io/postgres/session/connection.ts";
import { auditRound } from "./round.ts";

export interface AuditorOptions {
  readonly databaseUrl: string;
  readonly log: AuditedLog;
  readonly topic: string;
  readonly windowMs: number;
  readonly maxFutureMs: number;
  /** How long after a round has begun the next one does, if it has ended by then. */
  readonly intervalMs: number;
  /** How often everything is recounted that can be. */
  readonly fullEveryMs?: number;
  /** Called before each round. @throws {OperatorError} if the counts are not those of the log. */
  readonly check?: (connection: Connection) => Promise<void>;
  /** Completes a report with what the tables and the log do not say. */
  readonly complete?: (report: AuditReport, connection: Connection) => Promise<AuditReport>;
  /** Called after each round, with what was known before it. */
  readonly onRound?: (report: AuditReport, note: AuditNote, before: AuditState) => void;
}

const DAY_MS = 86_400_000;
const BACKOFF = { firstMs: 500, maxMs: 30_000 };
/** How often an auditor that waits for another one asks whether that has ended. */
const LOCK_POLL_MS = 2_000;
/** How long a worker that starts at the same time may take to bring the tables up to date. */
const MIGRATION_MS = 20_000;

/** Audits one database. Nobody else does meanwhile: a second auditor waits until this one ends. */
export class Auditor {
  readonly #options: AuditorOptions;
  /** Since when no round can be done; null while they can. */
  #failingSince: number | null = null;
  #isWaiting = false;
  /** Since when the tables are those of another version; null while they are not. */
  #outdatedSince: number | null = null;
  /** What is known after a round that found something wrong; null after another one. */
  #wrongBefore: AuditState | null = null;

  constructor(options: AuditorOptions) {
    this.#options = options;
  }

  /**
   * Resolves when the signal aborts; a round that is under way is dropped.
   * @throws {OperatorError} if an operator has to act.
   */
  async run(signal: AbortSignal): Promise<void> {
    const { databaseUrl, intervalMs } = this.#options;
    await using connection = new Connection(databaseUrl, "lottery-events-auditor");
    while (!signal.aborted) {
      const beganAt = performance.now();
      try {
        await retry(() => this.#round(connection, signal), {
          ...BACKOFF,
          signal,
          onFailure: (error) => this.#failed(error),
        });
      } catch (error) {
        if (signal.aborted && (error === signal.reason || isPassing(error))) return;
        throw error;
      }
      await delay(Math.max(0, beganAt + intervalMs - performance.now()), signal);
    }
  }

  async #round(connection: Connection, signal: AbortSignal): Promise<void> {
    await this.#assertUpToDate(connection);
    await assertMayAudit(connection);
    await this.#waitForTurn(connection, signal);
    const epoch = await epochOf(connection);
    try {
      await this.#options.check?.(connection);
      await this.#audit(connection, { epoch, signal });
    } catch (error) {
      // The log may be another one since: what was found says nothing about the counts of now.
      if (!isPassing(error) && await epochOf(connection) !== epoch) throw resetMeanwhile(error);
      throw error;
    }
  }

  async #assertUpToDate(connection: Connection): Promise<void> {
    if (!await isMigrated(connection)) throw nothingCounted();
    try {
      await assertUpToDate(connection);
      this.#outdatedSince = null;
    } catch (error) {
      this.#outdatedSince ??= performance.now();
      const isLate = performance.now() - this.#outdatedSince > MIGRATION_MS;
      if (isPassing(error) || isLate) throw error;
      throw new UnavailableError("The tables are not up to date yet", { cause: error });
    }
  }

  async #audit(
    connection: Connection,
    { epoch, signal }: { readonly epoch: number; readonly signal: AbortSignal },
  ): Promise<void> {
    const { intervalMs, fullEveryMs = DAY_MS, complete, onRound } = this.#options;
    const beganAt = performance.now();
    const before = await this.#stateBefore(connection);
    const isFull = before.verdict === null || before.verdict === "wrong" ||
      before.fullAgeMs === null || before.fullAgeMs >= fullEveryMs;
    let found = await this.#recount(connection, { sinceMs: isFull ? null : before.toMs, signal });
    if (found.verdict === "wrong" && found.fromMs !== null) {
      logger.warn("Something is wrong: recounting everything, to name it");
      found = await this.#recount(connection, { sinceMs: null, signal });
    }
    const report = await complete?.(found, connection) ?? found;
    const seconds = (performance.now() - beganAt) / 1000;
    const note = noteOf(report, { seconds, roundMs: intervalMs });
    if (!await tryLock(connection)) {
      throw new UnavailableError("The session was lost, and another auditor has taken over");
    }
    if (!await recordAudit(connection, note, { epoch })) throw resetMeanwhile();
    this.#succeeded();
    this.#wrongBefore = note.verdict === "wrong"
      ? { ...before, verdict: "wrong", wrongSinceMs: before.wrongSinceMs ?? note.atMs }
      : null;
    onRound?.(report, note, before);
  }

  async #recount(
    connection: Connection,
    { sinceMs, signal }: { readonly sinceMs: number | null; readonly signal: AbortSignal },
  ): Promise<AuditReport> {
    const { log, topic, windowMs, maxFutureMs } = this.#options;
    return await auditRound({
      ...{ connection, log, topic, windowMs, maxFutureMs, sinceMs, signal },
      limit: MAX_SENTENCES,
    });
  }

  /** What was wrong before a reset, which empties the table, is known from the round before. */
  async #stateBefore(connection: Connection): Promise<AuditState> {
    const state = await auditState(connection);
    return state.verdict === null ? this.#wrongBefore ?? state : state;
  }

  /** Resolves once no other auditor audits this database. The session holds the lock as long as it lives. */
  async #waitForTurn(connection: Connection, signal: AbortSignal): Promise<void> {
    while (!await tryLock(connection)) {
      if (!this.#isWaiting) {
        logger.info("Another auditor audits this database: waiting until it ends");
      }
      this.#isWaiting = true;
      await delay(LOCK_POLL_MS, signal);
      signal.throwIfAborted();
    }
    if (this.#isWaiting) logger.info("The other auditor has ended: taking over");
    this.#isWaiting = false;
  }

  #failed(error: unknown): void {
    if (this.#failingSince !== null) return;
    this.#failingSince = performance.now();
    logger.warn("Cannot audit now, retrying until it works: {reason}", { reason: describe(error) });
  }

  #succeeded(): void {
    if (this.#failingSince === null) return;
    const seconds = (performance.now() - this.#failingSince) / 1000;
    this.#failingSince = null;
    logger.info("Auditing again after {duration}", { duration: duration(seconds) });
  }
}

/** True if this session has the lock, now or already. */
async function tryLock(connection: Connection): Promise<boolean> {
  const [row] = await connection.query<{ is_ours: boolean }>({
    text: "select pg_try_advisory_lock('audits'::regclass::oid::bigint) as is_ours",
  });
  return row!.is_ours;
}

/** @throws {UnavailableError} before the first worker has started. */
async function epochOf(connection: Connection): Promise<number> {
  const pipeline = await readPipeline(connection);
  if (pipeline === null) throw nothingCounted();
  return pipeline.epoch;
}

function nothingCounted(): UnavailableError {
  return new UnavailableError("Nothing has been counted into this database yet");
}

function resetMeanwhile(cause?: unknown): UnavailableError {
  return new UnavailableError("The pipeline was reset during the audit", { cause });
}

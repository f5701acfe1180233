/**
 * Mails operators when a worker stops, a system stays down, records are bad or lost, another
 * worker dies or a partition is not counted, and when an outage is over.
 *
 * It never delays the pipeline: a mail that cannot be sent is logged and dropped.
 * @module
 */

import { backOff, type BackoffOptions } from "../async/backoff.ts";
import { withTimeout } from "../async/delay.ts";
import {
  type Alert,
  type AlertCause,
  type AlertContext,
  composeMail,
  type Mail,
  mailCause,
} from "../core/alert.ts";
import type { LastingGap } from "../core/offsets/lasting_gaps.ts";
import { plural } from "../core/text/numbers.ts";
import type { Commit, LostRange } from "../core/windowing/pending.ts";
import type { CoverageObserver, PipelineObserver, SystemName } from "../pipeline/observer.ts";
import type { Outage } from "./system_states.ts";
import type { OutageListener, WorkerState } from "./worker_state.ts";

/** Delivers mails. */
export interface MailChannel {
  /** Resolves when the server has taken it. May take long, and may fail. */
  send(mail: Mail): Promise<void>;
}

/** How the workers of one pipeline agree on who mails. */
export interface AlertClaims {
  /**
   * Asks for the right to mail about a cause (see `mailCause()`), which only one worker gets in an interval.
   * @returns how often the claim was refused since the last mail, or null if it is refused now.
   */
  claim(cause: string, intervalMs: number): Promise<number | null>;
}

export interface AlertsOptions {
  readonly channel: MailChannel;
  readonly claims: AlertClaims;
  readonly state: Pick<WorkerState, "outage">;
  readonly context: () => AlertContext;
  /** How long a transient failure may last before it is mailed. */
  readonly afterMs: number;
  /** Mails about the same cause are at least this far apart. */
  readonly intervalMs: number;
  /** How far apart attempts are to mail what is announced. */
  readonly announcing?: BackoffOptions;
  /** Called for each attempt to mail that has failed. */
  readonly onFailure: (subject: string, error: unknown) => void;
}

interface Lasting {
  /** When it was last tried to mail about it. */
  readonly raisedMs: number;
  /** Since when it lasts, as this worker has mailed; null if it has not. */
  mailedMs: number | null;
}

/** How long the last mails may delay the shutdown. */
const LAST_MAIL_MS = 5_000;
const ANNOUNCING: BackoffOptions = { firstMs: 5_000, maxMs: 300_000 };

const CAUSES = { Kafka: "kafka_away", PostgreSQL: "postgres_away" } as const;

/** Mails about one pipeline. Disposing it waits for mails under way, but not long. */
export class Alerts
  implements Partial<PipelineObserver & CoverageObserver>, OutageListener, AsyncDisposable {
  readonly #options: AlertsOptions;
  readonly #timers = new Map<SystemName, ReturnType<typeof setTimeout>>();
  /** Systems whose outage this worker has mailed, and whose recovery it will mail. */
  readonly #mailed = new Set<SystemName>();
  /** Lost records that no mail has reported yet. */
  readonly #unreportedRanges: LostRange[] = [];
  #reportTimer: ReturnType<typeof setTimeout> | undefined;
  /** What lasts, by its cause. */
  readonly #lasting = new Map<AlertCause, Lasting>();
  readonly #underWay = new Set<Promise<void>>();
  readonly #ended = new AbortController();

  constructor(options: AlertsOptions) {
    this.#options = options;
  }

  outageBegan({ system }: Outage): void {
    this.#remindAfter(system, this.#options.afterMs);
  }

  outageEnded(outage: Outage): void {
    clearTimeout(this.#timers.get(outage.system));
    if (this.#mailed.delete(outage.system)) this.#send(recovered(outage), 0);
  }

  committed({ lostRanges }: Commit): void {
    if (lostRanges.length === 0) return;
    for (const range of lostRanges) this.#unreportedRanges.push(range);
    if (this.#reportTimer === undefined) this.#reportLostRanges();
  }

  uncounted(gaps: readonly LastingGap[], problems: readonly string[]): void {
    const sinceMs = gaps.reduce((ms, gap) => Math.min(ms, gap.sinceMs), Infinity);
    if (gaps.length === 0) this.over("uncounted_partitions", countedAgain);
    else this.lasts(notCounted(problems, sinceMs));
  }

  /** Mails about what lasts, at most once per interval; to be called again as long as it does. */
  lasts(alert: Alert): void {
    const { claims, intervalMs } = this.#options;
    const { cause, sinceMs } = alert;
    const before = this.#lasting.get(cause);
    const nowMs = performance.now();
    if (before && nowMs - before.raisedMs < intervalMs) return;
    const lasting: Lasting = { raisedMs: nowMs, mailedMs: before?.mailedMs ?? null };
    this.#lasting.set(cause, lasting);
    this.#track(async () => {
      const repeats = await claims.claim(cause, intervalMs);
      if (repeats === null || this.#lasting.get(cause) !== lasting) return;
      lasting.mailedMs = sinceMs;
      await this.#mail(alert, repeats);
    });
  }

  /** Mails that it is over, if this worker has mailed about it. @param recovered given since when. */
  over(cause: AlertCause, recovered: (sinceMs: number) => Alert): void {
    const lasting = this.#lasting.get(cause);
    this.#lasting.delete(cause);
    if (lasting && lasting.mailedMs !== null) this.#send(recovered(lasting.mailedMs), 0);
  }

  /** The worker stops because it requires operator action. */
  stopped(error: unknown): void {
    this.raise({
      cause: "stopped",
      title: "A worker has stopped and requires operator action",
      error,
      sinceMs: Date.now(),
      doing: "It has stopped. Records that were not committed are read again at the next start.",
      advice: "Follow the advice in the error, then restart it.",
    });
  }

  /**
   * Mails an alert, unless a mail about its cause was sent within the interval.
   * @param isNew mails it in any case, because what that mail was about is over.
   */
  raise(alert: Alert, { isNew = false } = {}): void {
    const { claims, intervalMs } = this.#options;
    this.#track(async () => {
      const repeats = await claims.claim(mailCause(alert), isNew ? 0 : intervalMs);
      if (repeats !== null) await this.#mail(alert, repeats);
    });
  }

  /** Mails what is said once, and by nobody else: again and again until the server has taken it. */
  announce(alert: Alert): void {
    const { channel, context, onFailure, announcing = ANNOUNCING } = this.#options;
    const mail = composeMail(alert, context(), { nowMs: Date.now(), repeats: 0 });
    const { signal } = this.#ended;
    this.#track(async () => {
      for (let attempt = 0;; attempt++) {
        try {
          return await channel.send(mail);
        } catch (error) {
          onFailure(mail.subject, error);
        }
        if (signal.aborted) return;
        await backOff(attempt, announcing, signal); // and once more at the end
      }
    });
  }

  /** Ends the timers and waits for mails under way, for seconds at most. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const timer of [...this.#timers.values(), this.#reportTimer]) clearTimeout(timer);
    this.#track(() => this.#mailLostRanges(0)); // now or never
    this.#ended.abort();
    await withTimeout(LAST_MAIL_MS, Promise.all(this.#underWay));
  }

  #remindAfter(system: SystemName, ms: number): void {
    const remind = () => {
      const outage = this.#options.state.outage(system);
      if (!outage) return;
      this.#track(async () => {
        const { claims, intervalMs } = this.#options;
        const repeats = await claims.claim(CAUSES[system], intervalMs);
        if (repeats === null || !this.#options.state.outage(system)) return;
        this.#mailed.add(system);
        await this.#mail(away(outage), repeats);
      });
      this.#remindAfter(system, this.#options.intervalMs);
    };
    this.#timers.set(system, setTimeout(remind, ms));
  }

  /** Each range is in one mail: ranges lost within an interval are mailed together at its end. */
  #reportLostRanges(): void {
    const { claims, intervalMs } = this.#options;
    this.#reportTimer = setTimeout(() => this.#reportLostRanges(), intervalMs);
    this.#track(async () => {
      const repeats = await claims.claim("records_lost", intervalMs);
      if (repeats === null) return;
      clearTimeout(this.#reportTimer);
      this.#reportTimer = undefined;
      await this.#mailLostRanges(repeats);
    });
  }

  async #mailLostRanges(repeats: number): Promise<void> {
    const ranges = this.#unreportedRanges.splice(0);
    if (ranges.length > 0) await this.#mail(lost(ranges), repeats);
  }

  #send(alert: Alert, repeats: number): void {
    this.#track(() => this.#mail(alert, repeats));
  }

  async #mail(alert: Alert, repeats: number): Promise<void> {
    const { channel, context, onFailure } = this.#options;
    const mail = composeMail(alert, context(), { nowMs: Date.now(), repeats });
    try {
      await channel.send(mail);
    } catch (error) {
      onFailure(mail.subject, error);
    }
  }

  #track(action: () => Promise<unknown>): void {
    const running = action().then(() => {}, () => {});
    this.#underWay.add(running);
    running.finally(() => this.#underWay.delete(running));
  }
}

function lost(ranges: readonly LostRange[]): Alert {
  const lines = ranges.map(({ partition, from, to }) =>
    `partition ${partition}: offsets ${from} to ${to - 1}`
  );
  return {
    cause: "records_lost",
    title: "Kafka deleted records before they were counted",
    error: new Error(lines.join("; ")),
    sinceMs: Date.now(),
    doing:
      "It continues after the deleted records, because ON_DATA_LOSS is continue. Their events are not counted.",
    advice: "Increase the topic's retention beyond the longest expected downtime.",
  };
}

function notCounted(problems: readonly string[], sinceMs: number): Alert {
  return {
    cause: "uncounted_partitions",
    title: "Some partitions are not being counted",
    error: new Error(problems.join("; ")),
    sinceMs,
    doing:
      "It keeps counting its own partitions. Nothing is lost while Kafka retains the records of the others.",
    advice: "Follow the advice in the error for each partition.",
  };
}

function countedAgain(sinceMs: number): Alert {
  return {
    cause: "uncounted_partitions",
    title: "Recovered: all partitions are being counted again",
    sinceMs,
    doing: "It is counting, and so are the other workers.",
    advice: "Nothing.",
  };
}

function away({ system, sinceMs, attempts, error }: Outage): Alert {
  return {
    cause: CAUSES[system],
    title: `${system} is unavailable`,
    error,
    sinceMs,
    doing: `It keeps retrying (${
      plural(attempts, "attempt")
    } so far). Reading is paused, and nothing is lost.`,
    advice: system === "Kafka"
      ? "Check that the brokers of KAFKA_BROKERS are running and reachable from this host."
      : "Check that the server of DATABASE_URL is running, has disk space, and is reachable from this host.",
  };
}

function recovered({ system, sinceMs, attempts }: Outage): Alert {
  return {
    cause: CAUSES[system],
    title: `Recovered: ${system} is back`,
    sinceMs,
    doing: `It is counting again, after ${plural(attempts, "attempt")}.`,
    advice: "Nothing.",
  };
}

/**
 * Does harm to a pipeline, one kind after the other, and knows what it has survived: all harm after
 * which an audit has found that every row agrees.
 * @module
 */

import { Condition } from "../../../async/condition.ts";
import { delay, withTimeout } from "../../../async/delay.ts";
import type { AuditNote } from "../../../core/audit/audit_note.ts";
import { OperatorError } from "../../../core/failure.ts";
import { hash } from "../../../core/simulation/hash.ts";
import { plural } from "../../../core/text/numbers.ts";
import type { Config } from "../../../core/settings/config.ts";
import type { ChaosStatus } from "../../../io/http/pipeline_status.ts";
import { log } from "../../../io/logs.ts";
import type { Sink } from "../../../pipeline/sink.ts";
import type { Source } from "../../../pipeline/source.ts";
import type { Bursts } from "./bursts.ts";
import { Chance } from "./chance.ts";
import { type CommitPlace, HarmedSink } from "./harmed_sink.ts";
import { HarmedSource } from "./harmed_source.ts";
import { type Harm, HARMS, nextCommit } from "./harms.ts";
import { Sessions } from "./sessions.ts";

export interface ChaosArguments {
  /** Another seed does the same in another order. */
  readonly seed: number;
  /** After how many faults it ends; null: when it is stopped. */
  readonly count: number | null;
  readonly harms?: readonly Harm[];
}

export interface ChaosOptions extends ChaosArguments {
  readonly source: Source;
  readonly databaseUrl: string;
  readonly records: Bursts;
}

/** If faults are counted, one follows another as soon as commits do. */
const QUICK_COMMIT_MS = 200;
/** Everything is recounted each time. */
const AUDIT_INTERVAL_MS = 10_000;
/** Between two faults that are not to be counted but to be followed. */
const LEAST_PAUSE_MS = 3_000;
const MOST_PAUSE_MS = 6_000;
/** The longest that a fault takes to have its effect, on a machine that is busy. */
const EFFECT_TIMEOUT_MS = 60_000;
/** Some faults meet what happens at the same time, and are done again. */
const MAX_ATTEMPTS = 10;

export class Chaos implements AsyncDisposable {
  readonly auditing = { intervalMs: AUDIT_INTERVAL_MS, fullEveryMs: 0 };
  readonly source: HarmedSource;
  readonly #options: ChaosOptions;
  readonly #harms: readonly Harm[];
  readonly #sessions: Sessions;
  readonly #commits = new Chance<CommitPlace>();
  readonly #audited = new Condition();
  /** When each fault was over, and counting had continued. */
  readonly #overMs: number[] = [];
  #last: string | null = null;
  #survived = 0;
  #difference: AuditNote | null = null;
  #randoms = 0;

  constructor(options: ChaosOptions) {
    this.#options = options;
    this.#harms = options.harms ?? HARMS;
    this.source = new HarmedSource(options.source);
    this.#sessions = new Sessions(options.databaseUrl);
  }

  /** Leads to the database, on a way that is harmed. */
  get databaseUrl(): string {
    return this.#sessions.url;
  }

  /** Settings of the worker. */
  settings({ commitIntervalMs, ...others }: Config): Config {
    const most = this.#options.count === null ? Infinity : QUICK_COMMIT_MS;
    return { ...others, commitIntervalMs: Math.min(commitIntervalMs, most) };
  }

  /** The sink of a worker, within reach. */
  readonly harmed = (sink: Sink): Sink => new HarmedSink(sink, this.#commits);

  /**
   * Does harm until there was enough of it, or the signal aborts.
   * @throws {OperatorError} once an audit has found a difference, or if a fault has no effect.
   */
  async run(signal: AbortSignal): Promise<void> {
    try {
      const difference = this.#audited.until(() => this.#difference !== null, { signal });
      await Promise.race([this.#faults(signal), difference]);
      this.#assertAgrees();
    } finally { // the last commit is not harmed
      this.#commits.close();
      this.source.fetches.close();
    }
  }

  /** Takes what an audit has found. */
  heard(note: AuditNote): void {
    if (note.verdict === "agrees") {
      this.#survived = this.#overMs.filter((overMs) => overMs <= note.atMs).length;
    } else {
      this.#difference = note;
    }
    this.#audited.notify();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#sessions[Symbol.asyncDispose]();
  }

  /** For the status line. */
  note(): string {
    return `${plural(this.#survived, "fault")} survived`;
  }

  status(): ChaosStatus {
    return { survived: this.#survived, last: this.#last, of: this.#options.count };
  }

  /**
   * What is to be said at the end, after the last audit.
   * @throws {OperatorError} if it has found a difference.
   */
  verdict(): string {
    this.#assertAgrees();
    return `${plural(this.#survived, "fault")} survived: every row agrees`;
  }

  async #faults(signal: AbortSignal): Promise<void> {
    const { count } = this.#options;
    for (let at = 0; at < (count ?? Infinity); at++) {
      if (count === null) await this.#pause(signal);
      const harm = this.#harmAt(at);
      let what: string | null = null;
      await withTimeout(EFFECT_TIMEOUT_MS, this.#strike(harm).then((done) => what = done));
      if (signal.aborted) return;
      if (what === null) throw new OperatorError(`The fault "${harm.name}" had no effect`);
      await this.#untilStored();
      this.#overMs.push(Date.now());
      this.#last = what;
      log.info(`Fault {number}: ${what}`, { number: at + 1, kind: harm.name });
    }
  }

  async #strike(harm: Harm): Promise<string | null> {
    const { source } = this;
    const { seed, records } = this.#options;
    const [commits, sessions] = [this.#commits, this.#sessions];
    const victim = {
      ...{ commits, source, sessions, records },
      random: () => hash(seed, this.#randoms++, 21),
    };
    let what: string | null = null;
    for (let attempts = 0; what === null && attempts < MAX_ATTEMPTS; attempts++) {
      what = await harm.strike(victim);
    }
    return what;
  }

  /** Every kind once, in some order, then again in another. */
  #harmAt(at: number): Harm {
    const { length } = this.#harms;
    const round = at - at % length;
    const place = (harm: number) => hash(this.#options.seed, round + harm, 22);
    const order = this.#harms.map((_, harm) => harm).sort((a, b) => place(a) - place(b));
    return this.#harms[order[at % length]!]!;
  }

  async #pause(signal: AbortSignal): Promise<void> {
    const share = hash(this.#options.seed, this.#overMs.length, 23);
    await delay(LEAST_PAUSE_MS + share * (MOST_PAUSE_MS - LEAST_PAUSE_MS), signal);
  }

  /** Resolves when a commit is stored. */
  async #untilStored(): Promise<void> {
    for (let isStored = false; !isStored;) {
      await nextCommit(this.#commits, async ({ commit, store }) => {
        await store(commit);
        isStored = true;
      });
    }
  }

  #assertAgrees(): void {
    if (this.#difference === null) return;
    const { firstWrong } = this.#difference;
    throw new OperatorError(
      `${plural(this.#overMs.length, "fault")}, and not every row agrees: ${firstWrong.join("; ")}`,
    );
  }
}

/**
 * An auditor of a test's stack, in the test's own process.
 * @module
 */

import { Auditor, type AuditorOptions } from "../../lib/auditor/auditor.ts";
import type { AuditReport } from "../../lib/core/audit/audit.ts";
import type { AuditNote } from "../../lib/core/audit/audit_note.ts";
import { createKafka } from "../../lib/io/kafka/client.ts";
import { KafkaCluster } from "../../lib/io/kafka/cluster.ts";
import { kafkaLog } from "../../lib/io/kafka/kafka_log.ts";
import { LogReader } from "../../lib/io/kafka/log_reader.ts";
import { Condition } from "../../lib/async/condition.ts";
import type { TestStack } from "./stack.ts";
import { MAX_WAIT_MS } from "./eventually.ts";

export interface Round {
  readonly report: AuditReport;
  readonly note: AuditNote;
}

/** An auditor that runs until it is disposed. */
export class RunningAuditor implements AsyncDisposable {
  readonly rounds: Round[] = [];
  /** Settles when the auditor ends. */
  readonly running: Promise<void>;
  readonly #stop = new AbortController();
  readonly #changed = new Condition();
  readonly #release: AsyncDisposableStack;
  #isOver = false;

  private constructor(options: AuditorOptions, release: AsyncDisposableStack) {
    this.#release = release;
    const auditor = new Auditor({
      ...options,
      onRound: (report, note, before) => {
        options.onRound?.(report, note, before);
        this.rounds.push({ report, note });
        this.#changed.notify();
      },
    });
    this.running = auditor.run(this.#stop.signal).finally(() => {
      this.#isOver = true;
      this.#changed.notify();
    });
    this.running.catch(() => {}); // awaited by the test, or by nobody
  }

  /** Rounds follow each other without a pause, unless the options say otherwise. */
  static async start(
    { topic, database }: Pick<TestStack, "topic" | "database">,
    options: Partial<AuditorOptions> = {},
  ): Promise<RunningAuditor> {
    await using opened = new AsyncDisposableStack();
    const kafka = await createKafka(topic.config);
    const cluster = opened.use(new KafkaCluster(kafka, topic.config));
    const reader = opened.use(await LogReader.open(kafka, topic.config));
    const auditor = new RunningAuditor({
      databaseUrl: database.url,
      log: kafkaLog(cluster, reader),
      topic: topic.name,
      windowMs: 60_000,
      maxFutureMs: 300_000,
      intervalMs: 1,
      ...options,
    }, opened.move());
    return auditor;
  }

  /** The next round that begins from now on, or the first that fits. */
  async next(fits: (round: Round) => boolean = () => true): Promise<Round> {
    const under = this.rounds.length + 1; // the one that is under way has begun before
    return await this.first((round, at) => at >= under && fits(round));
  }

  /** The first round of all that fits, once it is there. */
  async first(fits: (round: Round, at: number) => boolean = () => true): Promise<Round> {
    const find = () => this.rounds.find(fits);
    await this.#changed.until(() => find() !== undefined || this.#isOver, {
      timeoutMs: MAX_WAIT_MS,
    });
    const found = find();
    if (found) return found;
    if (this.#isOver) await this.running;
    throw new Error(`No such round among ${this.rounds.length}: ${fits}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.running.catch(() => {});
    await this.#release.disposeAsync();
  }
}

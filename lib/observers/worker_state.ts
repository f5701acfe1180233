/**
 * What a worker is doing: the only memory of it. It follows the pipeline; readiness, page, status
 * line, metrics and mails read it, so that they cannot disagree.
 * @module
 */

import type { AuditNote } from "../core/audit/audit_note.ts";
import type { LastingGap } from "../core/offsets/lasting_gaps.ts";
import type { LogRange } from "../core/offsets/log_range.ts";
import { latenciesOf } from "../core/stats/latency.ts";
import { RollingQuantiles } from "../core/stats/quantiles.ts";
import { RollingCounter } from "../core/stats/rolling_counter.ts";
import type { Commit } from "../core/windowing/pending.ts";
import type {
  CoverageObserver,
  PipelineObserver,
  System,
  SystemName,
} from "../pipeline/observer.ts";
import type { FencedError } from "../pipeline/sink.ts";
import type { Source } from "../pipeline/source.ts";
import { type Outage, type SystemState, SystemStates } from "./system_states.ts";

/** Told when a system goes away, and when it is back. Must not throw. */
export interface OutageListener {
  outageBegan(outage: Outage): void;
  outageEnded(outage: Outage): void;
}

export interface WorkerStateOptions {
  readonly latencySinceMs?: number | undefined;
  /** Milliseconds of a clock that is never set. */
  readonly steadyMs?: () => number;
}

export interface OwnPartition {
  readonly partition: number;
  readonly nextOffset: number;
  /** Records up to the end of the log; null while it is not known. */
  readonly lag: number | null;
}

const RATE_SECONDS = 5;
const KEPT_SECONDS = 60;
/** The log is checked every 5 s. A source that hangs takes longer than this to say so. */
const RANGES_KEPT_MS = 15_000;

/** Follows one pipeline. Times are milliseconds since the epoch. */
export class WorkerState implements Partial<PipelineObserver & CoverageObserver> {
  readonly startedMs = Date.now();
  readonly latencySinceMs: number;
  events = 0;
  deadLetters = 0;
  lateEvents = 0;
  fencedCommits = 0;
  /** Null before the first commit. */
  lastCommitMs: number | null = null;
  sourceName = "Kafka";
  /** Partitions that the group has assigned, read or not; null before it has. */
  assignedPartitions: readonly number[] | null = null;
  /** Assigned partitions that cannot be read, with the reason. */
  unreadable: ReadonlyMap<number, string> = new Map();
  /** Every commit is fenced although nothing has moved. */
  isStuck = false;
  /** Partitions that no worker has counted for a while; null before the first check. */
  gaps: readonly LastingGap[] | null = null;
  /** What to do about them. */
  gapProblems: readonly string[] = [];
  watermarkMs: number | null = null;
  /** Events that were counted and are not in the hours; null while it is not known. */
  booksDifference: number | null = null;
  /** What the newest round of `audit --watch` has found; null before one is known. */
  audit: AuditNote | null = null;
  /** Lotteries and event types that are quiet; null before they were read. */
  quietLotteries: number | null = null;
  readonly #steadyMs: () => number;
  readonly #systems = new SystemStates();
  readonly #listeners: OutageListener[] = [];
  readonly #positions = new Map<number, number>();
  /** Of the partitions that are read; null while they are not known. */
  #lags: Map<number, number> | null = null;
  /** Of every partition, by what is stored. */
  #storedLags = new Map<number, number>();
  #ranges: ReadonlyMap<number, LogRange> = new Map();
  #rangesAtMs = -Infinity;
  /** Since when the source has failed, by the steady clock; null while it answers. */
  #sourceDownMs: number | null = null;
  readonly #rate = new RollingCounter(KEPT_SECONDS);
  readonly #latency = new RollingQuantiles(KEPT_SECONDS * 1000);

  constructor({ latencySinceMs = 0, steadyMs = () => performance.now() }: WorkerStateOptions = {}) {
    this.latencySinceMs = latencySinceMs;
    this.#steadyMs = steadyMs;
  }

  notifyOfOutages(listener: OutageListener): void {
    this.#listeners.push(listener);
  }

  outage(system: SystemName): Outage | null {
    return this.#systems.outage(system);
  }

  systemState(system: SystemName): SystemState {
    return this.#systems.of(system) ?? { state: "unknown", sinceMs: this.startedMs };
  }

  isUp(part: System): boolean {
    return this.#systems.isUp(part);
  }

  isDown(part: System): boolean {
    return this.#systems.isDown(part);
  }

  /** How long the source has not answered, in milliseconds. */
  get sourceDownForMs(): number {
    return this.#sourceDownMs === null ? 0 : this.#steadyMs() - this.#sourceDownMs;
  }

  get ownPartitions(): OwnPartition[] {
    return Array.from(this.#positions, ([partition, nextOffset]) => ({
      partition,
      nextOffset,
      lag: this.#lags?.get(partition) ?? null,
    })).sort((a, b) => a.partition - b.partition);
  }

  /** Partitions that are counted: none while the group is lost, because others may have them. */
  get countedPartitions(): number[] {
    if (this.#systems.isDown("group")) return [];
    return this.ownPartitions.map(({ partition }) => partition)
      .filter((partition) => !this.unreadable.has(partition));
  }

  /** Records that wait in the partitions that are read; null while they are not known. */
  get lagRecords(): number | null {
    return this.#lags && [...this.#lags.values()].reduce((sum, lag) => sum + lag, 0);
  }

  /** Records that wait in each partition: by position in those that are read, by what is stored in others. */
  get lags(): ReadonlyMap<number, number> {
    return new Map([...this.#storedLags, ...this.#lags ?? []]);
  }

  /**
   * All partitions of the log as they were a few seconds ago, or when they could last be read; also
   * those of other workers. None before the first check, and none while the source is away.
   */
  get logRanges(): ReadonlyMap<number, LogRange> {
    return this.#steadyMs() - this.#rangesAtMs < RANGES_KEPT_MS ? this.#ranges : new Map();
  }

  /** Events committed in each of the last 60 seconds, the oldest first. */
  get eventsBySecond(): number[] {
    return this.#rate.counts(this.#steadyMs());
  }

  /** Events committed per second, over the last 5 s. */
  get eventsPerSecond(): number {
    return this.#rate.perSecond(RATE_SECONDS, this.#steadyMs());
  }

  /** From the timestamp of a record batch to its commit, over the last minute; null without commits. */
  get latencyMs(): { readonly p50: number; readonly p99: number } | null {
    const nowMs = this.#steadyMs();
    const [p50, p99] = [0.5, 0.99].map((q) => this.#latency.quantile(q, nowMs));
    return p50 == null || p99 == null ? null : { p50, p99 };
  }

  reads({ name }: Source): void {
    this.sourceName = name;
  }

  assigned(partitions: readonly number[]): void {
    this.assignedPartitions = partitions;
    this.#positions.clear();
    this.#lags = null;
    this.#storedLags.clear(); // partitions of before may be another worker's now
    this.isStuck = false; // another worker may have what it was stuck with
  }

  positioned(positions: ReadonlyMap<number, number>): void {
    for (const [partition, position] of positions) this.#positions.set(partition, position);
  }

  committed({ events, deadLetters, lateEvents, partitions, batchTimestampsMs }: Commit): void {
    const [nowMs, steadyMs] = [Date.now(), this.#steadyMs()];
    this.isStuck = false;
    this.lastCommitMs = nowMs;
    this.events += events;
    this.deadLetters += deadLetters.length;
    this.lateEvents += lateEvents;
    this.#rate.add(events, steadyMs);
    const clock = { nowMs, sinceMs: this.latencySinceMs };
    for (const latencyMs of latenciesOf({ batchTimestampsMs }, clock)) {
      this.#latency.add(latencyMs, steadyMs);
    }
    for (const { partition, nextOffset } of partitions) {
      if (this.#positions.has(partition)) this.#positions.set(partition, nextOffset);
    }
  }

  fenced({ isStuck }: FencedError): void {
    this.fencedCommits++;
    this.isStuck = isStuck;
  }

  failed(part: System, error: unknown): void {
    const wasDown = this.#systems.isDown(part);
    const outage = this.#systems.failed(part, error, Date.now());
    if (part === "source" || part === "group") { // what was known of the log is outdated
      this.#lags = null;
      if (!wasDown) this.#ranges = new Map();
    }
    if (part === "source") {
      this.#storedLags.clear();
      this.#sourceDownMs ??= this.#steadyMs();
    }
    if (outage) { for (const listener of this.#listeners) listener.outageBegan(outage); }
  }

  answered(part: System): void {
    if (part === "source") this.#sourceDownMs = null;
    const outage = this.#systems.answered(part, Date.now());
    if (outage) { for (const listener of this.#listeners) listener.outageEnded(outage); }
  }

  unavailable(partitions: ReadonlyMap<number, string>): void {
    this.unreadable = partitions;
    for (const partition of partitions.keys()) {
      this.#lags?.delete(partition);
      this.#storedLags.delete(partition);
    }
  }

  lag(lags: ReadonlyMap<number, number>): void {
    this.#lags = new Map(lags);
  }

  lagOfAll(lags: ReadonlyMap<number, number>): void {
    this.#storedLags = new Map(lags);
    for (const partition of this.assignedPartitions ?? []) {
      if (this.unreadable.has(partition)) this.#storedLags.delete(partition);
    }
  }

  ranges(ranges: ReadonlyMap<number, LogRange>): void {
    this.#ranges = new Map([...this.#ranges, ...ranges]);
    this.#rangesAtMs = this.#steadyMs();
  }

  uncounted(gaps: readonly LastingGap[], problems: readonly string[]): void {
    this.gaps = gaps;
    this.gapProblems = problems;
  }

  watermark(watermarkMs: number | null): void {
    this.watermarkMs = watermarkMs;
  }
}

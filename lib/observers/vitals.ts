/**
 * What one worker alone knows of how it is: its rate and latency, its partitions, the
 * ends of the log, and whether its source and PostgreSQL answer it.
 * @module
 */

import type { LogRange } from "../core/offsets/log_range.ts";
import { latenciesOf } from "../core/stats/latency.ts";
import { RollingQuantiles } from "../core/stats/quantiles.ts";
import { RollingCounter } from "../core/stats/rolling_counter.ts";
import type { Commit } from "../core/windowing/pending.ts";
import type { PipelineObserver, System } from "../pipeline/observer.ts";
import type { Source } from "../pipeline/source.ts";

/** Whether a system answers; `unknown` before it was asked. */
export interface SystemState {
  readonly state: "unknown" | "up" | "down";
  /** When it came to be so, in milliseconds since the epoch. */
  readonly sinceMs: number;
}

/** How one worker is. Times in milliseconds since the epoch. */
export interface WorkerVitals {
  readonly startedMs: number;
  /** Where records come from, as a person calls it. */
  readonly sourceName: string;
  readonly source: SystemState;
  readonly postgres: SystemState;
  /** Partitions that the group gave it; null before it has. */
  readonly partitions: readonly number[] | null;
  /** Events committed in each of the last 60 seconds, the oldest first. */
  readonly eventsBySecond: readonly number[];
  /** Events per second, over the last 5 s. */
  readonly eventsPerSecond: number;
  /** From the timestamp of a record batch to its commit, over the last minute; null without commits. */
  readonly latencyMs: { readonly p50: number; readonly p99: number } | null;
  readonly lastCommitMs: number | null;
  readonly lateEvents: number;
  readonly fencedCommits: number;
}

const RATE_SECONDS = 5;
const KEPT_SECONDS = 60;
/** The log is looked at every 5 s. A source that hangs says for longer than this that it answers. */
const RANGES_KEPT_MS = 15_000;

/** A source is both a log and a group. */
const SOURCE_SYSTEMS: readonly System[] = ["source", "group"];

/** Follows one pipeline. */
export class Vitals implements Partial<PipelineObserver> {
  readonly #startedMs = Date.now();
  #sourceName = "Kafka";
  readonly #systems = new Map<System, SystemState>();
  readonly #events = new RollingCounter(KEPT_SECONDS);
  readonly #latency = new RollingQuantiles(KEPT_SECONDS * 1000);
  readonly #latencySinceMs: number;
  #partitions: readonly number[] | null = null;
  #ranges: ReadonlyMap<number, LogRange> = new Map();
  #rangesAtMs = -Infinity;
  #lastCommitMs: number | null = null;
  #lateEvents = 0;
  #fencedCommits = 0;

  /** @param options.latencySinceMs see `LatencyClock`. */
  constructor({ latencySinceMs = 0 }: { readonly latencySinceMs?: number | undefined } = {}) {
    this.#latencySinceMs = latencySinceMs;
  }

  /**
   * All partitions of the log as they were a few seconds ago, or when they could be read last; also
   * those of other workers. None before the first look, and none while the source is away: what it
   * said before is not so any more.
   */
  get logRanges(): ReadonlyMap<number, LogRange> {
    return performance.now() - this.#rangesAtMs < RANGES_KEPT_MS ? this.#ranges : new Map();
  }

  read(): WorkerVitals {
    const nowMs = performance.now();
    const eventsBySecond = this.#events.counts(nowMs);
    const recent = eventsBySecond.slice(-RATE_SECONDS).reduce((sum, count) => sum + count, 0);
    const [p50, p99] = [0.5, 0.99].map((q) => this.#latency.quantile(q, nowMs));
    return {
      startedMs: this.#startedMs,
      sourceName: this.#sourceName,
      source: this.#stateOf(SOURCE_SYSTEMS),
      postgres: this.#stateOf(["commit"]),
      partitions: this.#partitions,
      eventsBySecond,
      eventsPerSecond: recent / RATE_SECONDS,
      latencyMs: p50 == null || p99 == null ? null : { p50, p99 },
      lastCommitMs: this.#lastCommitMs,
      lateEvents: this.#lateEvents,
      fencedCommits: this.#fencedCommits,
    };
  }

  /** Says what the worker reads. */
  reads({ name }: Source): void {
    this.#sourceName = name;
  }

  assigned(partitions: readonly number[]): void {
    this.#partitions = partitions;
  }

  committed({ events, lateEvents, batchTimestampsMs }: Commit): void {
    const [nowMs, atMs] = [Date.now(), performance.now()];
    this.#lastCommitMs = nowMs;
    this.#lateEvents += lateEvents;
    this.#events.add(events, atMs);
    const clock = { nowMs, sinceMs: this.#latencySinceMs };
    for (const latencyMs of latenciesOf({ batchTimestampsMs }, clock)) {
      this.#latency.add(latencyMs, atMs);
    }
  }

  fenced(): void {
    this.#fencedCommits++;
  }

  failed(system: System): void {
    const isNew = this.#set(system, "down");
    if (isNew && SOURCE_SYSTEMS.includes(system)) this.#ranges = new Map();
  }

  answered(system: System): void {
    this.#set(system, "up");
  }

  ranges(ranges: ReadonlyMap<number, LogRange>): void {
    this.#ranges = new Map([...this.#ranges, ...ranges]);
    this.#rangesAtMs = performance.now();
  }

  /** @returns true if it was not so before. */
  #set(system: System, state: SystemState["state"]): boolean {
    if (this.#systems.get(system)?.state === state) return false;
    this.#systems.set(system, { state, sinceMs: Date.now() });
    return true;
  }

  /** As well as the worst of them. */
  #stateOf(systems: readonly System[]): SystemState {
    const states = systems.flatMap((system) => this.#systems.get(system) ?? []);
    return states.find(({ state }) => state === "down") ?? states[0] ??
      { state: "unknown", sinceMs: this.#startedMs };
  }
}

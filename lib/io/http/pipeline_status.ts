/**
 * The state of the pipeline: this worker's own, and that of all workers from the database.
 * @module
 */

import { withTimeout } from "../../async/delay.ts";
import type { LastingGap } from "../../core/offsets/lasting_gaps.ts";
import type { Announcement } from "../../core/simulation/generated_log.ts";
import { RollingRate } from "../../core/stats/rolling_rate.ts";
import { currentWindow } from "../../core/views/time_range.ts";
import type { SystemState } from "../../observers/system_states.ts";
import type { WorkerState } from "../../observers/worker_state.ts";
import { FailureLog } from "../failure_log.ts";
import { type Overview, storedLags, storedOffsetsOf } from "../postgres/queries/overview.ts";

/** The state of all workers, from the database. */
export interface SharedStatus extends Overview {
  /** Over the last seconds; null at the first reading. */
  readonly eventsPerSecond: number | null;
  /** Records that are not counted yet, in all partitions; null while the ends of the log are not known. */
  readonly lagRecords: number | null;
  /** Partitions that no worker has counted for a while, and what to do about it. */
  readonly uncounted: readonly LastingGap[];
  readonly problems: readonly string[];
  /** End of each partition's log, a few seconds ago; none while the source does not answer. */
  readonly ends: ReadonlyMap<number, number>;
  /** Start of the window that event time is in. */
  readonly currentWindowMs: number | null;
}

/** Facts about the generated events of `demo`. */
export interface DemoStatus {
  /** How fast event time passes now, as a multiple of the clock; null for the events of a file. */
  readonly speed: number | null;
  readonly jackpot: Announcement | null;
  /** Null unless its pipeline is harmed. */
  readonly chaos: ChaosStatus | null;
}

/** What is done to the pipeline of `demo --chaos`. */
export interface ChaosStatus {
  /** Faults after which an audit has found that every row agrees. */
  readonly survived: number;
  /** What was done last, in words; null before the first fault. */
  readonly last: string | null;
  /** After how many it ends; null if nobody has said. */
  readonly of: number | null;
}

export interface PipelineStatus {
  readonly topic: string;
  readonly groupId: string;
  readonly nowMs: number;
  /** Null for a real topic. */
  readonly demo: DemoStatus | null;
  /** `readMs` is the time at which `shared` was read. */
  readonly database: SystemState & { readonly readMs: number | null };
  readonly worker: WorkerState;
  readonly workerId: string;
  /** Null before anything was counted, and before the database has answered. */
  readonly shared: SharedStatus | null;
}

export interface StatusBoardOptions {
  readonly topic: string;
  readonly groupId: string;
  readonly workerId: string;
  readonly state: WorkerState;
  /** Only in a demo. */
  readonly demo?: (() => DemoStatus) | undefined;
  readonly readOverview: () => Promise<Overview | null>;
}

/** Time over which the rate of all workers is taken. */
const RATE_MS = 5_000;
/** Longest wait for the database; until then, its previous answer is shown. */
const MAX_WAIT_MS = 1_000;

/** Reads on request, but never twice at the same time. */
export class StatusBoard {
  readonly #options: StatusBoardOptions;
  readonly #rate = new RollingRate(RATE_MS);
  readonly #failures = new FailureLog("Cannot read the data for the page: {reason}");
  #overview: Overview | null = null;
  #readMs: number | null = null;
  #downSinceMs: number | null = null;
  #looking: Promise<void> | null = null;

  constructor(options: StatusBoardOptions) {
    this.#options = options;
  }

  async read(): Promise<PipelineStatus> {
    this.#looking ??= this.#look().finally(() => this.#looking = null);
    await withTimeout(MAX_WAIT_MS, this.#looking);
    const { topic, groupId, workerId, state, demo } = this.#options;
    return {
      topic,
      groupId,
      nowMs: Date.now(),
      demo: demo?.() ?? null,
      database: { ...this.#databaseState(), readMs: this.#readMs },
      worker: state,
      workerId,
      shared: this.#overview && this.#shared(this.#overview),
    };
  }

  /** Takes an answer of the database to another request. */
  saw(overview: Overview | null): void {
    if (overview) this.#rate.add(overview.events, performance.now());
    this.#overview = overview;
    this.#readMs = Date.now();
    this.#downSinceMs = null;
  }

  async #look(): Promise<void> {
    try {
      this.saw(await this.#options.readOverview());
      this.#failures.succeeded();
    } catch (error) { // it says so where it shows
      this.#failures.failed(error);
      this.#downSinceMs ??= Date.now();
    }
  }

  #databaseState(): SystemState {
    const state = this.#options.state.systemState("PostgreSQL");
    if (state.state === "down" || this.#downSinceMs === null) return state;
    return { state: "down", sinceMs: this.#downSinceMs };
  }

  #shared(overview: Overview): SharedStatus {
    const { logRanges, gaps, gapProblems } = this.#options.state;
    const stored = storedOffsetsOf(overview);
    // The ends were read before: meanwhile more may have come, and been counted.
    const ends = new Map(
      Array.from(
        logRanges,
        ([id, { endOffset }]) => [id, Math.max(endOffset, stored.get(id) ?? 0)],
      ),
    );
    const lags = [...storedLags(overview, logRanges).values()];
    return {
      ...overview,
      eventsPerSecond: this.#rate.perSecond,
      lagRecords: ends.size === 0 ? null : lags.reduce((sum, lag) => sum + lag, 0),
      uncounted: gaps ?? [],
      problems: gapProblems,
      ends,
      currentWindowMs: currentWindow(overview),
    };
  }
}

/**
 * Which partitions no worker counts, and the stored offset of each. Every worker checks, so that
 * any one of them reports a gap.
 * @module
 */

import { delay, withTimeout } from "../async/delay.ts";
import {
  describeUncounted,
  missingPartitions,
  type UncountedPartition,
  uncountedPartitions,
} from "../core/offsets/coverage.ts";
import { LastingGaps } from "../core/offsets/lasting_gaps.ts";
import { FailureLog } from "../io/failure_log.ts";
import type { StatusBoard } from "../io/http/pipeline_status.ts";
import type { ConsumerGroup } from "../io/kafka/group/consumer_group.ts";
import { readOverview, storedLags } from "../io/postgres/queries/overview.ts";
import type { Connection } from "../io/postgres/session/connection.ts";
import { listWorkers } from "../io/postgres/worker_registry.ts";
import type { WorkerState } from "../observers/worker_state.ts";
import type { CoverageObserver } from "../pipeline/observer.ts";

export interface CoverageMonitorOptions {
  readonly topic: string;
  readonly groupId: string;
  readonly connection: Connection;
  /** Who else may have partitions; null if nobody can. */
  readonly group: ConsumerGroup | null;
  readonly state: WorkerState;
  readonly board: StatusBoard;
  readonly observer: CoverageObserver;
}

const CHECK_INTERVAL_MS = 5_000;
/** Longer than any rebalance takes. */
const LASTING_MS = 30_000;
/** Longer than it takes until the group shares out partitions that were added: kafkajs checks once a minute. */
const LASTING_FREE_MS = 120_000;
/** Some checks have failed: meanwhile partitions may have been counted. */
const GAP_MS = 3 * CHECK_INTERVAL_MS;
/** How long a check in progress may delay the shutdown. */
const STOP_TIMEOUT_MS = 1_000;

/** Checks periodically until it is disposed. */
export class CoverageMonitor implements AsyncDisposable {
  readonly #options: CoverageMonitorOptions;
  readonly #gaps = new LastingGaps({
    lastingMs: (reason) => reason === "nobody" ? LASTING_FREE_MS : LASTING_MS,
    gapMs: GAP_MS,
  });
  /** When the steady clock stood at zero. */
  readonly #zeroMs = Date.now() - performance.now();
  readonly #failures = new FailureLog("Cannot check whether all partitions are counted: {reason}");
  readonly #ended = new AbortController();
  readonly #checking: Promise<void>;

  constructor(options: CoverageMonitorOptions) {
    this.#options = options;
    this.#checking = this.#checkPeriodically();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended.abort();
    await withTimeout(STOP_TIMEOUT_MS, this.#checking);
  }

  async #checkPeriodically(): Promise<void> {
    const { signal } = this.#ended;
    while (!signal.aborted) {
      try {
        await this.#check();
        this.#failures.succeeded();
      } catch (error) { // nothing is concluded; the pipeline reports a system that is away
        this.#failures.failed(error);
      }
      await delay(CHECK_INTERVAL_MS, signal);
    }
  }

  async #check(): Promise<void> {
    const { connection, topic, groupId, state, board, observer } = this.#options;
    const overview = await readOverview(connection, topic);
    board.saw(overview);
    if (overview === null) return;
    state.audit = overview.audit;
    state.quietLotteries = overview.quiet.total;
    const lags = storedLags(overview, state.logRanges);
    if (lags.size > 0) observer.lagOfAll(lags); // none is known while the source is away
    const uncounted = await this.#uncounted();
    const gaps = this.#gaps.update(uncounted, performance.now()).map((gap) => ({
      ...gap,
      sinceMs: Math.round(this.#zeroMs + gap.sinceMs),
    }));
    observer.uncounted(gaps, describeUncounted(gaps, { groupId, lags }));
  }

  async #uncounted(): Promise<UncountedPartition[]> {
    const { group, connection } = this.#options;
    if (group === null) return [];
    const partitions = await group.partitions();
    const workers = await listWorkers(connection);
    if (missingPartitions({ partitions, workers }).length === 0) return [];
    return uncountedPartitions({ partitions, workers, group: await group.describe() });
  }
}

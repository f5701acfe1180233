/**
 * Compares a recount of the log with what is stored, and gives a verdict on each row.
 *
 * It shares only the rules for events with the code that counts. A window with records that
 * Kafka has deleted since can be recounted only in part: too few stored events are wrong,
 * anything else is not provable.
 * @module
 */

import { isoTime } from "../text/time.ts";
import { EventParser, type LotteryEvent } from "../windowing/event.ts";
import { impossibleCounters, type PartitionHistory } from "./history.ts";
import type { HourAudit, HourDifference } from "./hour_audit.ts";
import {
  type LedgerDifference,
  ledgerDifferences,
  type LedgerTotals,
  type StoredTotals,
} from "./ledger_totals.ts";
import {
  type DeadLetterDifference,
  PartitionAudit,
  type PartitionDifference,
} from "./partition_audit.ts";
import {
  type Reach,
  RowAudit,
  type RowAuditOptions,
  type RowDifference,
  type StoredCount,
  type Tallies,
} from "./row_audit.ts";

/** Whether everything agrees; or what was counted does, or what can be recounted. */
export type Verdict = "agrees" | "wrong" | "incomplete" | "not provable";

export interface AuditReport {
  readonly verdict: Verdict;
  /** When the tables were as they were compared, by the database's clock. */
  readonly atMs: number;
  /** Only windows that start from here on were recounted; null: everything that can be proved. */
  readonly fromMs: number | null;
  /** Windows that end at or before it were closed; null: none was. */
  readonly toMs: number | null;
  /** Records that were read again. */
  readonly records: number;
  /** Only windows that start after it can be recounted in full; −∞: all. */
  readonly provableAfterMs: number;
  readonly rows: Tallies;
  /** Those whose windows are deleted are not provable by themselves, and no part of the verdict. */
  readonly hours: Tallies;
  readonly deadLetters: Tallies;
  readonly ledger: LedgerTotals & { readonly balance: boolean };
  readonly ledgerDifferences: readonly LedgerDifference[];
  readonly rowDifferences: readonly RowDifference[];
  readonly hourDifferences: readonly HourDifference[];
  readonly deadLetterDifferences: readonly DeadLetterDifference[];
  readonly partitionDifferences: readonly PartitionDifference[];
  /** Why a part of the topic is in no count, see `withCoverage()`. */
  readonly problems: readonly string[];
  /** Records that were not counted yet at the time. */
  readonly recordsWaiting: number;
  /** Whether a worker counts them. */
  readonly hasWorkers: boolean;
}

/** Of rows that are not recounted: their sums, and those whose end is wrong. */
export interface EarlierRows {
  readonly events: number;
  /** Those of windows that an older database has not put into its hours yet. */
  readonly eventsNotInHours: number;
  readonly wrongEnds: number;
  /** The first of them. */
  readonly differences: readonly RowDifference[];
}

/** Facts about the whole database. */
export interface AuditOptions extends RowAuditOptions {
  readonly atMs: number;
  readonly closedUpToMs: number | null;
  readonly ledger: StoredTotals;
  readonly hours: HourAudit;
  /** Rows before `sinceMs`, if it is given. */
  readonly earlier?: EarlierRows | undefined;
  /** Dead letters that were changed, of those that are not compared with the log. */
  readonly changedLetters?: readonly DeadLetterDifference[];
  /** Only windows that start from here on are in the hours; −∞: all are. */
  readonly hoursFromMs: number;
  /** Starts of windows that were counted into beyond their partition's greatest event time. */
  readonly windowsAhead: ReadonlySet<number>;
  /** Totals of logs abandoned by a reset, which cannot be recounted. */
  readonly abandoned: {
    readonly maxEventTimeMs: number | null;
    readonly deadLetters: number;
  };
}

/** A dead letter that was counted after all. */
export interface ReplayedLetter {
  readonly partition: number;
  readonly offset: number;
  readonly value: Uint8Array;
  readonly windowStartMs: number;
}

/** Takes everything that is stored, then the records of one partition after the other. */
export class Audit {
  readonly #options: AuditOptions;
  readonly #rows: RowAudit;
  readonly #partitions = new Map<number, PartitionAudit>();
  readonly #replayDifferences: DeadLetterDifference[] = [];
  #events: number;
  #eventsNotInHours: number;
  /** Whether a replayed value lay in the future was checked when it was replayed. */
  readonly #parser = new EventParser({ maxFutureMs: Infinity });

  constructor(options: AuditOptions) {
    this.#options = options;
    this.#rows = new RowAudit(options);
    this.#events = options.earlier?.events ?? 0;
    this.#eventsNotInHours = options.earlier?.eventsNotInHours ?? 0;
  }

  addPartition(history: PartitionHistory): void {
    this.#partitions.set(history.partition, new PartitionAudit(history));
  }

  addStoredCount(count: StoredCount): void {
    this.#rows.addStored(count);
    this.#events += count.count;
    if (count.windowStartMs < this.#options.hoursFromMs) this.#eventsNotInHours += count.count;
  }

  /** Counts a replayed event, which no log holds. */
  addReplayed({ partition, offset, value, windowStartMs }: ReplayedLetter): void {
    const event = this.#parser.parse(value, { start: 0, end: value.length, recordTimestampMs: -1 });
    const recounted = typeof event === "string"
      ? event
      : intoWindow(event.timestampMs - event.timestampMs % this.#options.windowMs);
    const stored = intoWindow(windowStartMs);
    if (stored !== recounted) {
      this.#replayDifferences.push({ partition, offset, stored, recounted });
    }
    if (typeof event !== "string" && !this.#rows.isDeleted(event.timestampMs)) {
      this.#rows.expect(event);
    }
  }

  get partitions(): readonly PartitionAudit[] {
    return [...this.#partitions.values()];
  }

  partition(id: number): PartitionAudit | undefined {
    return this.#partitions.get(id);
  }

  /** Counts an event that the log holds, unless its row is deleted for its age. */
  addEvent(
    partition: PartitionAudit,
    { offset, event, sha256 }: {
      readonly offset: number;
      readonly event: LotteryEvent;
      /** SHA-256 of the content of its dead letter; called only if there is one. */
      readonly sha256: () => Uint8Array;
    },
  ): void {
    if (this.#rows.isDeleted(event.timestampMs)) {
      partition.addExpired(offset, sha256);
      return;
    }
    partition.addEvent(offset);
    this.#rows.expect(event);
  }

  report(): AuditReport {
    const { partitions } = this;
    const { abandoned, earlier, changedLetters = [] } = this.#options;
    const { hours: { hours, differences: hourDifferences } } = this.#options;
    const fromMs = this.#rows.fromMs === -Infinity ? null : this.#rows.fromMs;
    const ledger = {
      ...this.#options.ledger,
      events: this.#events,
      eventsNotInHours: this.#eventsNotInHours,
    };
    const partitionDifferences = partitions.flatMap((partition) => partition.end() ?? []);
    const provableAfterMs = this.#provableAfterMs();
    const { rows: { agreeing, wrong, notProvable }, rowDifferences } = this.#rows.compare(
      (windowStartMs) => this.#reachOf(windowStartMs, provableAfterMs),
    );
    const rows = { agreeing, wrong: wrong + (earlier?.wrongEnds ?? 0), notProvable };
    const deadLetterDifferences = [
      ...changedLetters,
      ...partitions.flatMap(({ differences }) => differences),
      ...this.#replayDifferences,
    ];
    const deadLetters = {
      agreeing: sum(partitions.map(({ deadLettersAgreeing }) => deadLettersAgreeing)),
      wrong: deadLetterDifferences.length,
      notProvable: (fromMs === null ? abandoned.deadLetters : 0) +
        sum(partitions.map(({ deadLettersNotProvable }) => deadLettersNotProvable)),
    };
    const imbalances = ledgerDifferences(ledger);
    const allLedgerDifferences = [
      ...imbalances,
      ...partitions.flatMap(({ history }) => impossibleCounters(history)),
    ];
    const isWrong = allLedgerDifferences.length > 0 || rows.wrong > 0 || hours.wrong > 0 ||
      deadLetters.wrong > 0 || partitionDifferences.length > 0;
    const isProven = rows.notProvable === 0 && deadLetters.notProvable === 0;
    return {
      verdict: isWrong ? "wrong" : isProven ? "agrees" : "not provable",
      atMs: this.#options.atMs,
      fromMs,
      toMs: this.#options.closedUpToMs,
      records: sum(partitions.map(({ records }) => records)),
      provableAfterMs,
      rows,
      hours,
      deadLetters,
      ledger: { ...ledger, balance: imbalances.length === 0 },
      ledgerDifferences: allLedgerDifferences,
      rowDifferences: [...earlier?.differences ?? [], ...rowDifferences],
      hourDifferences,
      deadLetterDifferences,
      partitionDifferences,
      problems: [],
      recordsWaiting: 0,
      hasWorkers: true,
    };
  }

  #reachOf(windowStartMs: number, provableAfterMs: number): Reach {
    if (windowStartMs <= provableAfterMs) return "what is left";
    if (!this.#options.windowsAhead.has(windowStartMs)) return "whole";
    if (provableAfterMs !== -Infinity) return "what is left";
    const isAllRead = this.partitions.every(({ history }) => history.since === undefined);
    return isAllRead ? "whole" : "what was read";
  }

  #provableAfterMs(): number {
    return this.partitions.reduce(
      (latest, { maxEventTimeGoneMs }) => Math.max(latest, maxEventTimeGoneMs ?? -Infinity),
      this.#options.abandoned.maxEventTimeMs ?? -Infinity,
    );
  }
}

function intoWindow(startMs: number): string {
  return `replayed into ${isoTime(startMs)}`;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

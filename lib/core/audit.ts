/**
 * A recount of the log beside what is stored, and the verdict on each row.
 *
 * Shares nothing with the code that counts but the rules for events. A window into
 * which records were counted that Kafka has deleted since can be recounted in part
 * only: then too few stored events are wrong, and anything else is not provable.
 * @module
 */

import type { LotteryEvent } from "./event.ts";
import type { PartitionHistory } from "./milestone.ts";
import {
  type DeadLetterDifference,
  PartitionAudit,
  type PartitionDifference,
} from "./partition_audit.ts";

/** A row of counts as it is stored. */
export interface StoredCount {
  readonly windowStartMs: number;
  readonly windowEndMs: number;
  readonly lotteryName: string;
  readonly eventType: string;
  readonly count: number;
}

/** A row of counts that is wrong. */
export interface RowDifference {
  readonly windowStartMs: number;
  readonly lotteryName: string;
  readonly eventType: string;
  /** Null if there is no such row. */
  readonly stored: number | null;
  /** Null if there should be no such row. */
  readonly recounted: number | null;
  /** True if a part of the window's records is gone: then it is more than `recounted`, but not less. */
  readonly isPartial: boolean;
  /** True if the window's end is not its start and the window's size. */
  readonly hasWrongEnd: boolean;
}

/** What the database says of itself: records read, and what became of them. */
export interface Books {
  readonly counted: number;
  readonly dead: number;
  /** Sum of all rows of counts. */
  readonly events: number;
  readonly deadLetters: number;
}

/** Whether it all agrees; or all that can be recounted does. */
export type Verdict = "agrees" | "wrong" | "not provable";

/** Rows or dead letters by what became of them. */
export interface Tallies {
  readonly agreeing: number;
  readonly wrong: number;
  readonly notProvable: number;
}

export interface AuditReport {
  readonly verdict: Verdict;
  /** Records that were read again. */
  readonly records: number;
  /** Only windows that start after it can be recounted in full; −∞: all. */
  readonly provableAfterMs: number;
  readonly rows: Tallies;
  readonly deadLetters: Tallies;
  readonly books: Books & { readonly balance: boolean };
  /** In the order of their keys. */
  readonly rowDifferences: readonly RowDifference[];
  readonly deadLetterDifferences: readonly DeadLetterDifference[];
  readonly partitionDifferences: readonly PartitionDifference[];
}

/** What is known of the whole. */
export interface AuditOptions {
  readonly windowMs: number;
  readonly books: Books;
  /** Starts of windows that were counted into beyond their partition's greatest event time. */
  readonly windowsAhead: ReadonlySet<number>;
  /** What is stored of logs that a reset has left: nothing of it can be recounted. */
  readonly left: {
    readonly maxEventTimeMs: number | null;
    readonly deadLetters: number;
  };
}

interface Tally {
  stored: number | null;
  recounted: number | null;
  hasWrongEnd: boolean;
}

/** Takes everything that is stored, then the records of one partition after the other. */
export class Audit {
  readonly #options: AuditOptions;
  readonly #windows = new Map<number, Map<string, Map<string, Tally>>>();
  readonly #partitions = new Map<number, PartitionAudit>();

  constructor(options: AuditOptions) {
    this.#options = options;
  }

  addPartition(history: PartitionHistory): void {
    this.#partitions.set(history.partition, new PartitionAudit(history));
  }

  addStoredCount({ windowStartMs, windowEndMs, lotteryName, eventType, count }: StoredCount): void {
    const tally = this.#tally(windowStartMs, lotteryName, eventType);
    tally.stored = count;
    tally.hasWrongEnd = windowEndMs !== windowStartMs + this.#options.windowMs;
  }

  get partitions(): readonly PartitionAudit[] {
    return [...this.#partitions.values()];
  }

  partition(id: number): PartitionAudit | undefined {
    return this.#partitions.get(id);
  }

  /** Counts an event that the log holds. */
  addEvent(partition: PartitionAudit, offset: number, event: LotteryEvent): void {
    partition.addEvent(offset);
    this.#expect(event);
  }

  /** The one place where an event becomes part of what should be stored. */
  #expect({ timestampMs, lotteryName, eventType }: LotteryEvent): void {
    const windowStartMs = timestampMs - timestampMs % this.#options.windowMs;
    const tally = this.#tally(windowStartMs, lotteryName, eventType);
    tally.recounted = (tally.recounted ?? 0) + 1;
  }

  /** The verdict, after the last record. */
  report(): AuditReport {
    const { partitions } = this;
    const { books, left } = this.#options;
    const partitionDifferences = partitions.flatMap((partition) => partition.end() ?? []);
    const provableAfterMs = this.#provableAfterMs();
    const { rows, rowDifferences } = this.#judgeRows(provableAfterMs);
    const deadLetterDifferences = partitions.flatMap(({ differences }) => differences);
    const deadLetters = {
      agreeing: sum(partitions.map(({ deadLettersAgreeing }) => deadLettersAgreeing)),
      wrong: deadLetterDifferences.length,
      notProvable: left.deadLetters +
        sum(partitions.map(({ deadLettersNotProvable }) => deadLettersNotProvable)),
    };
    const balance = books.counted === books.events && books.dead === books.deadLetters;
    const isWrong = !balance || rows.wrong > 0 || deadLetters.wrong > 0 ||
      partitionDifferences.length > 0;
    const isProven = rows.notProvable === 0 && deadLetters.notProvable === 0;
    return {
      verdict: isWrong ? "wrong" : isProven ? "agrees" : "not provable",
      records: sum(partitions.map(({ records }) => records)),
      provableAfterMs,
      rows,
      deadLetters,
      books: { ...books, balance },
      rowDifferences,
      deadLetterDifferences,
      partitionDifferences,
    };
  }

  #provableAfterMs(): number {
    return Math.max(
      this.#options.left.maxEventTimeMs ?? -Infinity,
      ...this.partitions.map(({ maxEventTimeGoneMs }) => maxEventTimeGoneMs ?? -Infinity),
    );
  }

  #judgeRows(provableAfterMs: number): { rows: Tallies; rowDifferences: RowDifference[] } {
    const tallies = { agreeing: 0, wrong: 0, notProvable: 0 };
    const rowDifferences: RowDifference[] = [];
    const isAllProvable = provableAfterMs === -Infinity;
    for (const [windowStartMs, lotteries] of this.#windows) {
      const isPartial = !isAllProvable &&
        (windowStartMs <= provableAfterMs || this.#options.windowsAhead.has(windowStartMs));
      for (const [lotteryName, types] of lotteries) {
        for (const [eventType, { stored, recounted, hasWrongEnd }] of types) {
          const judged = hasWrongEnd ? "wrong" : judge(stored, recounted, isPartial);
          tallies[judged]++;
          if (judged !== "wrong") continue;
          rowDifferences.push({
            windowStartMs,
            lotteryName,
            eventType,
            stored,
            recounted,
            isPartial,
            hasWrongEnd,
          });
        }
      }
    }
    return { rows: tallies, rowDifferences: rowDifferences.sort(byKey) };
  }

  #tally(windowStartMs: number, lotteryName: string, eventType: string): Tally {
    let lotteries = this.#windows.get(windowStartMs);
    if (!lotteries) this.#windows.set(windowStartMs, lotteries = new Map());
    let types = lotteries.get(lotteryName);
    if (!types) lotteries.set(lotteryName, types = new Map());
    let tally = types.get(eventType);
    if (!tally) types.set(eventType, tally = { stored: null, recounted: null, hasWrongEnd: false });
    return tally;
  }
}

function judge(
  stored: number | null,
  recounted: number | null,
  isPartial: boolean,
): keyof Tallies {
  if (!isPartial) return stored === recounted ? "agreeing" : "wrong";
  return (stored ?? 0) < (recounted ?? 0) ? "wrong" : "notProvable";
}

function byKey(a: RowDifference, b: RowDifference): number {
  return a.windowStartMs - b.windowStartMs || compare(a.lotteryName, b.lotteryName) ||
    compare(a.eventType, b.eventType);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

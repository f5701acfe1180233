/**
 * What has been counted since the last commit: deltas per window, dead letters,
 * and how far each partition was read. It becomes one commit, or is dropped as a whole.
 * @module
 */

import { DeadLetters } from "../dead_letters/buffer.ts";
import { type NewSha256, type RecordBatch, RecordCursor } from "../records/record_batch.ts";
import type { EventParser } from "./event.ts";
import { type WindowCount, WindowCounts } from "./window.ts";

/** Identifies the log that was read: another log has other batches at the same offsets. */
export interface BatchMark {
  readonly lastOffset: number;
  readonly crc: number;
}

/** Offsets `[from, to)` of a partition that were gone before they were read. */
export interface LostRange {
  readonly partition: number;
  readonly from: number;
  readonly to: number;
}

/** How a commit moves one partition: only from `expectedOffset`, and then to `nextOffset`. */
export interface PartitionCommit {
  readonly partition: number;
  readonly expectedOffset: number;
  readonly nextOffset: number;
  readonly counted: number;
  readonly dead: number;
  /** Greatest event time counted, or null if none was. */
  readonly maxEventTimeMs: number | null;
  /** The last batch that held records, or null if none did. */
  readonly lastBatch: BatchMark | null;
  /** True if `nextOffset` is the end of the log. */
  readonly caughtUp: boolean;
}

/** Everything that is stored in one transaction, or not at all. */
export interface Commit {
  readonly partitions: readonly PartitionCommit[];
  readonly counts: readonly WindowCount[];
  readonly deadLetters: DeadLetters;
  /** What was skipped because it was gone. */
  readonly lostRanges: readonly LostRange[];
  /** Events counted, the sum of `counts`. */
  readonly events: number;
  /** Events counted after their window was closed. */
  readonly lateEvents: number;
  /** Timestamp of the first record of each batch in it, or −1, for latency. */
  readonly batchTimestampsMs: readonly number[];
}

export interface PendingOptions {
  readonly parser: EventParser;
  readonly windowMs: number;
  readonly newSha256: NewSha256;
}

/** What event times mean at present, in milliseconds since the epoch. */
export interface TimeBounds {
  /** Events before it are late. */
  readonly closedUpToMs: number;
  /** Windows before it are deleted: events for them become dead letters. */
  readonly horizonMs: number;
}

const BYTES_PER_KEY = 300;

export class Pending {
  readonly #parser: EventParser;
  readonly #windowMs: number;
  readonly #newSha256: NewSha256;
  #counts: WindowCounts;
  #partitions = new Map<number, Progress>();
  #deadLetters = new DeadLetters();
  #lostRanges: LostRange[] = [];
  #lateEvents = 0;
  #batchTimestampsMs: number[] = [];

  constructor({ parser, windowMs, newSha256 }: PendingOptions) {
    this.#parser = parser;
    this.#windowMs = windowMs;
    this.#newSha256 = newSha256;
    this.#counts = new WindowCounts(windowMs);
  }

  get isEmpty(): boolean {
    return this.#partitions.size === 0;
  }

  /** Rough number of bytes that this keeps in memory. */
  get bytes(): number {
    return this.#counts.keys * BYTES_PER_KEY + this.#deadLetters.bytes;
  }

  /**
   * Counts the records of `batch` at or after `from`, and moves the partition behind it.
   * @returns the partition's next offset.
   */
  count(
    batch: RecordBatch,
    { partition, from, closedUpToMs, horizonMs }: {
      readonly partition: number;
      readonly from: number;
    } & TimeBounds,
  ): number {
    const progress = this.#progress(partition, from);
    const cursor = new RecordCursor(batch);
    while (cursor.next()) {
      if (cursor.offset < from) continue;
      const parsed = this.#parser.parse(cursor.bytes, {
        start: cursor.valueStart,
        end: cursor.valueEnd,
        size: cursor.valueSize,
        recordTimestampMs: cursor.timestampMs,
      });
      // The horizon is the start of a window, so a time before it is in a window before it.
      if (typeof parsed === "string" || parsed.timestampMs < horizonMs) {
        const reason = typeof parsed === "string" ? parsed : "expired_window";
        this.#deadLetters.add(cursor, { partition, reason, newSha256: this.#newSha256 });
        progress.dead++;
        continue;
      }
      this.#counts.add(parsed);
      progress.counted++;
      if (parsed.timestampMs > progress.maxEventTimeMs) {
        progress.maxEventTimeMs = parsed.timestampMs;
      }
      if (parsed.timestampMs < closedUpToMs) this.#lateEvents++;
    }
    progress.nextOffset = Math.max(from, batch.nextOffset);
    progress.caughtUp = false;
    if (batch.recordCount === 0) return progress.nextOffset;
    if (batch.crc !== null) {
      progress.lastBatch = { lastOffset: batch.nextOffset - 1, crc: batch.crc };
    }
    this.#batchTimestampsMs.push(
      batch.isLogAppendTime ? batch.maxTimestampMs : batch.baseTimestampMs,
    );
    return progress.nextOffset;
  }

  /** Moves a partition from `from` to `nextOffset` (which may be `from`), over offsets without records. */
  advance(
    { partition, from, nextOffset, caughtUp }: {
      readonly partition: number;
      readonly from: number;
      readonly nextOffset: number;
      readonly caughtUp: boolean;
    },
  ): void {
    const progress = this.#progress(partition, from);
    progress.nextOffset = nextOffset;
    progress.caughtUp = caughtUp;
  }

  /** Moves a partition over records that are gone. */
  skip({ partition, from, to }: LostRange): void {
    this.advance({ partition, from, nextOffset: to, caughtUp: false });
    this.#lostRanges.push({ partition, from, to });
  }

  /** Returns everything, and is empty again. */
  drain(): Commit {
    const commit: Commit = {
      partitions: Array.from(this.#partitions, ([partition, progress]) => ({
        partition,
        ...progress,
        maxEventTimeMs: progress.maxEventTimeMs < 0 ? null : progress.maxEventTimeMs,
      })),
      counts: Array.from(this.#counts),
      deadLetters: this.#deadLetters,
      lostRanges: this.#lostRanges,
      events: this.#counts.events,
      lateEvents: this.#lateEvents,
      batchTimestampsMs: this.#batchTimestampsMs,
    };
    this.clear();
    return commit;
  }

  /** Forgets everything, offsets included. */
  clear(): void {
    this.#counts = new WindowCounts(this.#windowMs);
    this.#partitions = new Map();
    this.#deadLetters = new DeadLetters();
    this.#lostRanges = [];
    this.#lateEvents = 0;
    this.#batchTimestampsMs = [];
  }

  #progress(partition: number, from: number): Progress {
    let progress = this.#partitions.get(partition);
    if (!progress) this.#partitions.set(partition, progress = new Progress(from));
    if (progress.nextOffset !== from) {
      throw new Error(
        `Cannot count partition ${partition} from offset ${from}: it is pending up to ${progress.nextOffset}`,
      );
    }
    return progress;
  }
}

class Progress {
  readonly expectedOffset: number;
  nextOffset: number;
  counted = 0;
  dead = 0;
  maxEventTimeMs = -1;
  lastBatch: BatchMark | null = null;
  caughtUp = false;

  constructor(from: number) {
    this.expectedOffset = from;
    this.nextOffset = from;
  }
}

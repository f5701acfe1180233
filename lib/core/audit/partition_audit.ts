/**
 * One partition, recounted: its counters, and each of its dead letters.
 * @module
 */

import type { DeadLetterReason } from "../dead_letters/dead_letter.ts";
import type { RejectionReason } from "../windowing/event.ts";
import { beginning, firstProvable, type HistoryEntry, type PartitionHistory } from "./history.ts";

/** A dead letter or its replay that differs from the recount; null if it does not exist. */
export interface DeadLetterDifference {
  readonly partition: number;
  readonly offset: number;
  readonly stored: string | null;
  readonly recounted: string | null;
}

export interface StoredLetter {
  readonly offset: number;
  readonly reason: string;
  /** Hash of its present content, see `letterSha256`. */
  readonly sha256: Uint8Array;
  /** False if the content has changed since. */
  readonly isIntact: boolean;
}

/** Bytes kept of a hash: enough against forgery, and there may be millions of letters. */
const HASH_BYTES = 16;

const EXPIRED: DeadLetterReason = "expired_window";

/** Records that a partition has counted in `[fromOffset, toOffset)`, and those that were found there. */
export interface PartitionDifference {
  readonly partition: number;
  readonly fromOffset: number;
  readonly toOffset: number;
  readonly stored: { readonly counted: number; readonly dead: number };
  readonly recounted: { readonly counted: number; readonly dead: number };
}

/** Takes a partition's stored dead letters, in any order, and then its records. */
export class PartitionAudit {
  readonly history: PartitionHistory;
  readonly differences: DeadLetterDifference[] = [];
  /** Dead letters of deleted records. */
  deadLettersNotProvable = 0;
  deadLettersAgreeing = 0;
  records = 0;
  #offsets: number[] = [];
  #reasons: string[] = [];
  /** Concatenated hashes, in the order in which the letters arrived. */
  #hashes = new Uint8Array();
  /** Index of each letter's hash, once the letters are sorted. */
  #hashAt: readonly number[] = [];
  /** Letters whose content has changed. */
  readonly #changed = new Set<number>();
  #isSorted = true;
  #at = 0;
  #next = 0;
  #since: HistoryEntry;
  #counted = 0;
  #dead = 0;
  /** Events deleted either as counts or as dead letters: which is no longer known. */
  #undecided = 0;
  /** Entries that the recount has yet to pass. */
  #ahead: HistoryEntry[] = [];
  /** Where the first of them is. */
  #aheadAt = Infinity;
  #difference: PartitionDifference | null = null;

  constructor(history: PartitionHistory) {
    this.history = history;
    this.#since = history.now;
  }

  /** Event times up to this may belong to records that are gone; null if none are. */
  get maxEventTimeGoneMs(): number | null {
    const isWhole = this.#since.nextOffset === beginning(this.history).nextOffset;
    return isWhole ? null : this.#since.maxEventTimeMs;
  }

  addStored({ offset, reason, sha256, isIntact }: StoredLetter): void {
    if (offset < (this.#offsets.at(-1) ?? 0)) this.#isSorted = false;
    this.#keepHash(sha256);
    this.#offsets.push(offset);
    this.#reasons.push(reason);
    if (!isIntact) this.#changed.add(offset);
  }

  /**
   * What comes next are the records from here on, because the log begins there. Called
   * again if Kafka deletes, meanwhile, what was about to be read.
   * @returns the offset to read from: no record is to come twice.
   */
  begin(logStart: number): number {
    this.#sort();
    const from = Math.max(logStart, beginning(this.history).nextOffset, this.#next);
    for (; this.#at < this.#offsets.length && this.#offsets[this.#at]! < from; this.#at++) {
      if (this.#changed.has(this.#offsets[this.#at]!)) this.#differInContent();
      else this.deadLettersNotProvable++;
    }
    this.#since = firstProvable(this.history, from);
    this.#counted = 0;
    this.#dead = 0;
    this.#undecided = 0;
    const { entries, now } = this.history;
    this.#ahead = [...entries.filter(({ nextOffset }) => nextOffset > this.#since.nextOffset), now];
    this.#aheadAt = this.#ahead[0]!.nextOffset;
    return from;
  }

  addEvent(offset: number): void {
    this.#take(offset);
    if (offset >= this.#since.nextOffset) this.#counted++;
  }

  /** @param sha256 of the content of its dead letter; called only if there is one. */
  addDeadLetter(offset: number, reason: RejectionReason, sha256: () => Uint8Array): void {
    this.#take(offset);
    if (offset >= this.#since.nextOffset) this.#dead++;
    this.#reportExtra(offset);
    if (this.#offsets[this.#at] !== offset) {
      // The counters show whether as many are missing as were deleted.
      if (offset >= this.history.deadLetterHorizon) this.#differ(offset, null, reason);
      return;
    }
    const stored = this.#reasons[this.#at]!;
    if (stored === reason) this.#compareContent(sha256());
    else this.#differ(offset, stored, reason);
    this.#at++;
  }

  /**
   * An event whose row is deleted: counted before the deletion, or a dead letter after it.
   * @param sha256 of the content of its dead letter; called only if there is one.
   */
  addExpired(offset: number, sha256: () => Uint8Array): void {
    this.#take(offset);
    this.#reportExtra(offset);
    const hasLetter = this.#offsets[this.#at] === offset && this.#reasons[this.#at] === EXPIRED;
    if (hasLetter) {
      this.#compareContent(sha256());
      this.#at++;
    }
    if (offset < this.#since.nextOffset) return;
    if (hasLetter) this.#dead++;
    else if (offset < this.history.deadLetterHorizon) this.#undecided++;
    else this.#counted++;
  }

  /** After the last record. @returns how the counters differ, or null. */
  end(): PartitionDifference | null {
    this.#reportExtra(Infinity);
    this.#pass(Infinity);
    return this.#difference;
  }

  /** Compares the counters of entries up to an offset with what was found before them. */
  #pass(offset: number): void {
    for (let entry = this.#ahead[0]; entry && entry.nextOffset <= offset; entry = this.#ahead[0]) {
      this.#ahead.shift();
      this.#difference ??= this.#compare(entry);
    }
    this.#aheadAt = this.#ahead[0]?.nextOffset ?? Infinity;
  }

  #compare(entry: HistoryEntry): PartitionDifference | null {
    const stored = {
      counted: entry.counted - this.#since.counted,
      dead: entry.dead - this.#since.dead,
    };
    const undecidedCounted = Math.max(0, Math.min(this.#undecided, stored.counted - this.#counted));
    const recounted = {
      counted: this.#counted + undecidedCounted,
      dead: this.#dead + this.#undecided - undecidedCounted,
    };
    const { nextOffset: fromOffset } = this.#since;
    return stored.counted === recounted.counted && stored.dead === recounted.dead ? null : {
      partition: this.history.partition,
      ...{ fromOffset, toOffset: entry.nextOffset, stored, recounted },
    };
  }

  #sort(): void {
    if (this.#isSorted) return;
    const [offsets, reasons] = [this.#offsets, this.#reasons];
    const order = offsets.map((_, at) => at).sort((a, b) => offsets[a]! - offsets[b]!);
    this.#offsets = order.map((at) => offsets[at]!);
    this.#reasons = order.map((at) => reasons[at]!);
    this.#hashAt = order;
    this.#isSorted = true;
  }

  #take(offset: number): void {
    if (offset >= this.#aheadAt) this.#pass(offset);
    this.records++;
    this.#next = offset + 1;
  }

  /** Reports stored dead letters before `offset` that the recount does not have. */
  #reportExtra(offset: number): void {
    for (; this.#at < this.#offsets.length && this.#offsets[this.#at]! < offset; this.#at++) {
      this.#differ(this.#offsets[this.#at]!, this.#reasons[this.#at]!, null);
    }
  }

  #keepHash(sha256: Uint8Array): void {
    const at = this.#offsets.length;
    if ((at + 1) * HASH_BYTES > this.#hashes.length) {
      const hashes = new Uint8Array(2 * (at + 32) * HASH_BYTES);
      hashes.set(this.#hashes);
      this.#hashes = hashes;
    }
    this.#hashes.set(sha256.subarray(0, HASH_BYTES), at * HASH_BYTES);
  }

  /** Compares the next letter with the hash that its content has to have. */
  #compareContent(sha256: Uint8Array): void {
    const start = (this.#hashAt[this.#at] ?? this.#at) * HASH_BYTES;
    const stored = this.#hashes.subarray(start, start + HASH_BYTES);
    const isSame = stored.every((byte, at) => byte === sha256[at]) &&
      !this.#changed.has(this.#offsets[this.#at]!);
    if (isSame) this.deadLettersAgreeing++;
    else this.#differInContent();
  }

  /** The content of the next letter differs from the record. */
  #differInContent(): void {
    const reason = this.#reasons[this.#at]!;
    this.#differ(this.#offsets[this.#at]!, `${reason}, content changed`, `${reason}, as received`);
  }

  #differ(offset: number, stored: string | null, recounted: string | null): void {
    this.differences.push({ partition: this.history.partition, offset, stored, recounted });
  }
}

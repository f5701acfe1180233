/**
 * One partition, recounted: its books, and each of its dead letters.
 * @module
 */

import type { DeadLetterReason } from "./dead_letter.ts";
import type { RejectionReason } from "./event.ts";
import { firstProvable, type Milestone, type PartitionHistory } from "./milestone.ts";

/** A dead letter, or what it was replayed as, that is not as the recount has it; null where there is none. */
export interface DeadLetterDifference {
  readonly partition: number;
  readonly offset: number;
  readonly stored: string | null;
  readonly recounted: string | null;
}

/** Why an event is a dead letter though nothing is wrong with it. */
const EXPIRED: DeadLetterReason = "expired_window";

/** Records that a partition's books have since `fromOffset`, and that were found there. */
export interface PartitionDifference {
  readonly partition: number;
  readonly fromOffset: number;
  readonly stored: { readonly counted: number; readonly dead: number };
  readonly recounted: { readonly counted: number; readonly dead: number };
}

/** Takes a partition's stored dead letters, in any order, and then its records. */
export class PartitionAudit {
  readonly history: PartitionHistory;
  readonly differences: DeadLetterDifference[] = [];
  /** Dead letters whose record is gone. */
  deadLettersNotProvable = 0;
  deadLettersAgreeing = 0;
  /** Records read. */
  records = 0;
  #offsets: number[] = [];
  #reasons: string[] = [];
  #isSorted = true;
  /** First stored dead letter that was not compared yet. */
  #at = 0;
  /** Offset after the last record. */
  #next = 0;
  #since: Milestone;
  #counted = 0;
  #dead = 0;
  /** Events that were counted and deleted, or dead letters and deleted: nobody can tell any more. */
  #undecided = 0;

  constructor(history: PartitionHistory) {
    this.history = history;
    this.#since = history.now;
  }

  /** Event times up to this may belong to records that are gone; null if none are. */
  get maxEventTimeGoneMs(): number | null {
    return this.#since.maxEventTimeMs;
  }

  addStored(offset: number, reason: string): void {
    if (offset < (this.#offsets.at(-1) ?? 0)) this.#isSorted = false;
    this.#offsets.push(offset);
    this.#reasons.push(reason);
  }

  /**
   * What comes next are the records from here on, because the log begins there. Called
   * again if Kafka deletes, meanwhile, what was about to be read.
   * @returns the offset to read from: no record is to come twice.
   */
  begin(logStart: number): number {
    this.#sort();
    const from = Math.max(logStart, this.history.firstOffset, this.#next);
    for (; this.#at < this.#offsets.length && this.#offsets[this.#at]! < from; this.#at++) {
      this.deadLettersNotProvable++;
    }
    this.#since = firstProvable(this.history, from);
    this.#counted = 0;
    this.#dead = 0;
    this.#undecided = 0;
    return from;
  }

  addEvent(offset: number): void {
    this.#take(offset);
    if (offset >= this.#since.nextOffset) this.#counted++;
  }

  addDeadLetter(offset: number, reason: RejectionReason): void {
    this.#take(offset);
    if (offset >= this.#since.nextOffset) this.#dead++;
    this.#tooMany(offset);
    if (this.#offsets[this.#at] !== offset) {
      // The books tell whether as many are missing as were deleted.
      if (offset >= this.history.deadLetterHorizon) this.#differ(offset, null, reason);
      return;
    }
    const stored = this.#reasons[this.#at++]!;
    if (stored === reason) this.deadLettersAgreeing++;
    else this.#differ(offset, stored, reason);
  }

  /** An event whose row is deleted: it was counted before that, or is a dead letter since. */
  addExpired(offset: number): void {
    this.#take(offset);
    this.#tooMany(offset);
    const hasLetter = this.#offsets[this.#at] === offset && this.#reasons[this.#at] === EXPIRED;
    if (hasLetter) {
      this.#at++;
      this.deadLettersAgreeing++;
    }
    if (offset < this.#since.nextOffset) return;
    if (hasLetter) this.#dead++;
    else if (offset < this.history.deadLetterHorizon) this.#undecided++;
    else this.#counted++;
  }

  /** After the last record. @returns what the books have too much or too little, or null. */
  end(): PartitionDifference | null {
    this.#tooMany(Infinity);
    const { now, partition } = this.history;
    const stored = {
      counted: now.counted - this.#since.counted,
      dead: now.dead - this.#since.dead,
    };
    const undecidedCounted = Math.max(0, Math.min(this.#undecided, stored.counted - this.#counted));
    const recounted = {
      counted: this.#counted + undecidedCounted,
      dead: this.#dead + this.#undecided - undecidedCounted,
    };
    return stored.counted === recounted.counted && stored.dead === recounted.dead
      ? null
      : { partition, fromOffset: this.#since.nextOffset, stored, recounted };
  }

  #sort(): void {
    if (this.#isSorted) return;
    const [offsets, reasons] = [this.#offsets, this.#reasons];
    const order = offsets.map((_, at) => at).sort((a, b) => offsets[a]! - offsets[b]!);
    this.#offsets = order.map((at) => offsets[at]!);
    this.#reasons = order.map((at) => reasons[at]!);
    this.#isSorted = true;
  }

  #take(offset: number): void {
    this.records++;
    this.#next = offset + 1;
  }

  /** Stored dead letters before `offset` of which the recount knows nothing. */
  #tooMany(offset: number): void {
    for (; this.#at < this.#offsets.length && this.#offsets[this.#at]! < offset; this.#at++) {
      this.#differ(this.#offsets[this.#at]!, this.#reasons[this.#at]!, null);
    }
  }

  #differ(offset: number, stored: string | null, recounted: RejectionReason | null): void {
    this.differences.push({ partition: this.history.partition, offset, stored, recounted });
  }
}

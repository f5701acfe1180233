/**
 * Records with bursts among them: many at once that come late, and some that are no events.
 * @module
 */

import type { LoggedRecord } from "../../../core/simulation/generated_log.ts";
import { Generator } from "../../../core/simulation/generator.ts";
import { hash } from "../../../core/simulation/hash.ts";
import type { NumberedRecords } from "../../../io/sources/numbered_log.ts";

interface Burst {
  /** Number of its first record. */
  readonly from: number;
  readonly size: number;
  readonly atMs: number;
}

const MINUTE_MS = 60_000;
const LOTTERIES = 12;
/** One of so many records of a burst is bad. */
const BAD_EVERY = 4;
/** How late the others are. */
const LEAST_LATE_MS = 30 * MINUTE_MS;
const MOST_LATE_MS = 90 * MINUTE_MS;

export class Bursts implements NumberedRecords {
  readonly #records: NumberedRecords;
  readonly #seed: number;
  readonly #good: Generator;
  readonly #bad: Generator;
  /** Earlier ones first. */
  readonly #bursts: Burst[] = [];

  constructor(records: NumberedRecords, seed: number) {
    this.#records = records;
    this.#seed = seed;
    const options = { seed, lotteries: LOTTERIES, lateShare: 0 };
    this.#good = new Generator({ ...options, badShare: 0 });
    this.#bad = new Generator({ ...options, badShare: 1 });
  }

  /** Adds one after the records of now. */
  add(size: number): { readonly late: number; readonly bad: number; readonly beforeMs: number } {
    const atMs = Date.now();
    this.#bursts.push({ from: this.lengthAt(atMs), size, atMs });
    const bad = Math.ceil(size / BAD_EVERY);
    return { late: size - bad, bad, beforeMs: atMs - LEAST_LATE_MS };
  }

  lengthAt(nowMs: number): number {
    return this.#bursts.reduce((sum, { size }) => sum + size, this.#records.lengthAt(nowMs));
  }

  record(n: number): LoggedRecord {
    let before = 0;
    for (const burst of this.#bursts) {
      if (n < burst.from) break;
      if (n < burst.from + burst.size) return this.#ofBurst(n, burst);
      before += burst.size;
    }
    return this.#records.record(n - before);
  }

  #ofBurst(n: number, { from, atMs: timestampMs }: Burst): LoggedRecord {
    if ((n - from) % BAD_EVERY === 0) {
      return { timestampMs, ...this.#bad.record(n, timestampMs) };
    }
    const lateMs = LEAST_LATE_MS + hash(this.#seed, n, 20) * (MOST_LATE_MS - LEAST_LATE_MS);
    return { timestampMs, ...this.#good.record(n, timestampMs - Math.floor(lateMs)) };
  }
}

/**
 * A source that can hand over records twice.
 * @module
 */

import { Condition } from "../../../async/condition.ts";
import type { LogView } from "../../../core/offsets/log_range.ts";
import type { Fetched } from "../../../core/records/log_batch.ts";
import type { Source, SourceReader } from "../../../pipeline/source.ts";
import { Chance } from "./chance.ts";

/** Records that are about to be handed over. */
export interface FetchPlace {
  readonly fetched: Fetched;
  readonly handOver: (fetched: Fetched) => Promise<void>;
}

export class HarmedSource implements Source {
  readonly fetches = new Chance<FetchPlace>();
  readonly #source: Source;
  readonly #restarted = new Condition();
  #starts = 0;
  /** End of what was handed over last, of each partition. */
  readonly #reached = new Map<number, number>();

  constructor(source: Source) {
    this.#source = source;
  }

  /** How often a reader has said where to read from. */
  get starts(): number {
    return this.#starts;
  }

  /** Resolves when a reader says where to read from, for more than that many times. */
  async startsAgain(starts: number): Promise<void> {
    await this.#restarted.until(() => this.#starts > starts);
  }

  /** Reads on from up to so many records before what was handed over last. @returns how many. */
  rewind(records: number): number {
    const [partition, reached] = [...this.#reached].reduce((a, b) => a[1] >= b[1] ? a : b);
    const offset = Math.max(0, reached - records);
    this.#source.resume(new Map([[partition, offset]]));
    return reached - offset;
  }

  async read(reader: SourceReader, signal: AbortSignal): Promise<void> {
    const handOver = (fetched: Fetched) => reader.fetched(fetched);
    await this.#source.read({
      assigned: (partitions) => reader.assigned(partitions),
      interrupted: (error) => reader.interrupted(error),
      fetched: async (fetched) => {
        this.#reached.set(fetched.partition, fetched.nextOffset);
        await this.fetches.pass({ fetched, handOver }, () => handOver(fetched));
      },
    }, signal);
  }

  resume(positions: ReadonlyMap<number, number>): void {
    this.#source.resume(positions);
    this.#starts++;
    this.#restarted.notify();
  }

  get name(): string {
    return this.#source.name;
  }

  get signsOfLife(): ReadonlyMap<number, number> {
    return this.#source.signsOfLife;
  }

  get throttledMs(): number {
    return this.#source.throttledMs;
  }

  renew(): void {
    this.#source.renew();
  }

  isCompacted(): Promise<boolean> {
    return this.#source.isCompacted();
  }

  viewLog(partitions?: readonly number[]): Promise<LogView> {
    return this.#source.viewLog(partitions);
  }

  acknowledge(positions: ReadonlyMap<number, number>): void {
    this.#source.acknowledge(positions);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#source[Symbol.asyncDispose]();
  }
}

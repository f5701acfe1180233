/**
 * A sink whose commits can be harmed on their way.
 * @module
 */

import type { Position } from "../../../core/offsets/positions.ts";
import type { Commit } from "../../../core/windowing/pending.ts";
import type { Sink } from "../../../pipeline/sink.ts";
import type { Chance } from "./chance.ts";

/** A commit that is about to be stored. */
export interface CommitPlace {
  readonly commit: Commit;
  /** Stores this one, or another. */
  readonly store: (commit: Commit) => Promise<void>;
}

export class HarmedSink implements Sink {
  readonly #sink: Sink;
  readonly #commits: Chance<CommitPlace>;

  constructor(sink: Sink, commits: Chance<CommitPlace>) {
    this.#sink = sink;
    this.#commits = commits;
  }

  positions(logStarts: ReadonlyMap<number, number>): Promise<ReadonlyMap<number, Position>> {
    return this.#sink.positions(logStarts);
  }

  horizon(): Promise<number> {
    return this.#sink.horizon();
  }

  async commit(commit: Commit): Promise<void> {
    const store = (each: Commit) => this.#sink.commit(each);
    await this.#commits.pass({ commit, store }, () => store(commit));
  }

  advanceWatermark(partitionCount: number): Promise<number | null> {
    return this.#sink.advanceWatermark(partitionCount);
  }
}

/**
 * Stores a commit once, even if the answer gets lost.
 * @module
 */

import type { Commit } from "../../core/windowing/pending.ts";
import { FencedError, type Sink } from "../sink.ts";

/**
 * An action that stores the commit, however often it is attempted. An attempt that failed
 * may have been stored all the same: then the next one is fenced, and the offsets tell.
 */
export function commitOnce(commit: Commit, sink: Sink): () => Promise<void> {
  let mayBeStored = false;
  return async () => {
    try {
      await sink.commit(commit);
    } catch (error) {
      if (error instanceof FencedError && mayBeStored && await isStored(commit, sink)) return;
      mayBeStored = true;
      throw error;
    }
  };
}

/** True if the sink's positions are those after the commit. */
async function isStored({ partitions }: Commit, sink: Sink): Promise<boolean> {
  const stored = await sink.positions(
    new Map(partitions.map(({ partition, expectedOffset }) => [partition, expectedOffset])),
  );
  return partitions.every(({ partition, nextOffset }) =>
    stored.get(partition)?.nextOffset === nextOffset
  );
}

/**
 * Whether a worker is ready: joined to its group, the database answered last time and takes what it
 * commits, and no partition is left that nobody counts.
 * @module
 */

import { unavailableText } from "../core/offsets/partition_names.ts";
import type { WorkerState } from "./worker_state.ts";

/** How long the log of a joined worker may fail to answer. */
const MAX_SOURCE_DOWN_MS = 5_000;

/**
 * Null when ready, else why not. A worker without partitions is ready too: it stands by. While a
 * partition is not counted, every worker is not ready: a rollout that brings half a pipeline has to
 * stop.
 */
export function readinessProblem(state: WorkerState): string | null {
  if (state.isDown("commit") || state.isDown("query")) return "PostgreSQL does not answer";
  if (state.isStuck) return "PostgreSQL refuses every commit";
  const isJoined = state.isUp("group");
  if (
    state.isDown("source") && (!isJoined || state.sourceDownForMs >= MAX_SOURCE_DOWN_MS)
  ) return "Kafka does not answer";
  if (!isJoined) return "not joined to the consumer group";
  if (!state.isUp("commit")) return "PostgreSQL has not answered yet";
  const problems = state.unreadable.size > 0
    ? [`not reading ${unavailableText(state.unreadable)}`]
    : [];
  return [...problems, ...state.gapProblems].join("\n") || null;
}

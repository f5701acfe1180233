/**
 * Whether the log keeps its records until they are counted; one that is compacted does not.
 * @module
 */

import { CompactedError, OtherLogError } from "../core/offsets/log_range.ts";
import type { PipelineObserver, Source } from "./endpoints.ts";
import type { Ask } from "./start_offsets.ts";

export interface CompactionOptions {
  readonly source: Source;
  readonly observer: Pick<PipelineObserver, "compacted">;
  readonly onDataLoss: "fail" | "continue";
}

/** @throws {CompactedError} if the log is compacted, and it was not decided to count what is left of it. */
export async function assertKept(options: CompactionOptions, ask: Ask): Promise<void> {
  await isCompacted(options, ask);
}

/**
 * Makes sure that only compaction can have changed the last batch that was counted.
 * @throws {OtherLogError} if the log is not compacted.
 * @throws {CompactedError} as above.
 */
export async function assertRewritten(
  partition: number,
  options: CompactionOptions,
  ask: Ask,
): Promise<void> {
  if (await isCompacted(options, ask)) return;
  throw new OtherLogError(partition, "the last record batch that was counted is not there");
}

async function isCompacted(
  { source, observer, onDataLoss }: CompactionOptions,
  ask: Ask,
): Promise<boolean> {
  const answer = await ask("source", () => source.isCompacted());
  if (answer && onDataLoss === "fail") throw new CompactedError();
  observer.compacted(answer);
  return answer;
}

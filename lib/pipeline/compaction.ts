/**
 * Whether the log keeps its records until they are counted: a compacted one does not.
 * @module
 */

import { CompactedError, OtherLogError } from "../core/offsets/log_range.ts";
import type { Retry } from "./availability.ts";
import type { PipelineObserver } from "./observer.ts";
import type { Source } from "./source.ts";

export interface CompactionOptions {
  readonly source: Source;
  readonly observer: Pick<PipelineObserver, "compacted">;
  readonly onDataLoss: "fail" | "continue";
}

/** @throws {CompactedError} if the log is compacted, unless ON_DATA_LOSS allows counting the remaining records. */
export async function assertKept(
  options: CompactionOptions,
  retry: Retry,
): Promise<void> {
  await isCompacted(options, retry);
}

/**
 * Makes sure that only compaction can have changed the last batch that was counted.
 * @throws {OtherLogError} if the log is not compacted.
 * @throws {CompactedError} as above.
 */
export async function assertRewritten(
  partition: number,
  options: CompactionOptions,
  retry: Retry,
): Promise<void> {
  if (await isCompacted(options, retry)) return;
  throw new OtherLogError(partition, "the last record batch that was counted is missing");
}

async function isCompacted(
  { source, observer, onDataLoss }: CompactionOptions,
  retry: Retry,
): Promise<boolean> {
  const answer = await retry("source", () => source.isCompacted());
  if (answer && onDataLoss === "fail") throw new CompactedError();
  observer.compacted(answer);
  return answer;
}

/**
 * Where to continue: the sink's positions, checked against the log.
 * @module
 */

import { lagWithin, type LogRange, type LogView } from "../core/offsets/log_range.ts";
import type { Position, StartOffset } from "../core/offsets/positions.ts";
import type { Retry } from "./availability.ts";
import { assertKept, type CompactionOptions } from "./compaction.ts";
import type { PipelineObserver } from "./observer.ts";
import type { Sink } from "./sink.ts";

/** How to retry, and what to do about deleted records. */
export interface StartOffsetsOptions extends CompactionOptions {
  readonly observer: Pick<PipelineObserver, "compacted" | "unavailable">;
  readonly sink: Sink;
  readonly retry: Retry;
}

/**
 * Where the sink has each partition, and what its log holds. Those that cannot be read right now
 * are left out and reported.
 * @throws {OperatorError} for a position that is not within its log, or a log that is compacted.
 */
export async function startOffsets(
  partitions: readonly number[],
  { source, sink, observer, retry, onDataLoss }: StartOffsetsOptions,
): Promise<StartOffset[]> {
  if (partitions.length === 0) {
    observer.unavailable(new Map());
    return [];
  }
  await assertKept({ source, observer, onDataLoss }, retry);
  const view = () => retry("source", () => source.viewLog(partitions));
  // The log's start is read with each attempt: retention may move it while the sink is away.
  const positions = await retry("query", async () => {
    const { ranges } = await view();
    return ranges.size === 0 ? new Map<number, Position>() : sink.positions(startsOf(ranges));
  });
  // The ranges again: the log may have grown, and been counted elsewhere, since.
  const { ranges, unavailable } = await view();
  const offsets: StartOffset[] = [];
  for (const [partition, position] of positions) {
    const range = ranges.get(partition);
    if (!range) continue;
    const { nextOffset } = position;
    if (!isLossAccepted(nextOffset, { range, onDataLoss })) {
      lagWithin({ partition, position: nextOffset }, range);
    }
    offsets.push({ partition, position, range });
  }
  const started = new Map(offsets.map(({ partition, range }) => [partition, range]));
  observer.unavailable(unavailableOf(partitions, { ranges: started, unavailable }));
  return offsets;
}

/** Those of the partitions that cannot be read, and why not; some may have been added just now. */
export function unavailableOf(
  partitions: readonly number[],
  { ranges, unavailable }: LogView,
): Map<number, string> {
  const missing = partitions.filter((partition) => !ranges.has(partition));
  return new Map(
    missing.map((id) => [id, unavailable.get(id) ?? "the topic does not have it yet"]),
  );
}

/** True for a position whose records are gone, if ON_DATA_LOSS allows skipping them. */
export function isLossAccepted(
  position: number,
  { range, onDataLoss }: {
    readonly range: LogRange | undefined;
    readonly onDataLoss: "fail" | "continue";
  },
): boolean {
  return onDataLoss === "continue" && range !== undefined && position < range.startOffset;
}

function startsOf(ranges: ReadonlyMap<number, LogRange>): Map<number, number> {
  return new Map(Array.from(ranges, ([partition, { startOffset }]) => [partition, startOffset]));
}

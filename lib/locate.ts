/**
 * Where to go on: the sink's positions, checked against the log.
 * @module
 */

import { UnavailableError } from "./core/failure.ts";
import { lagWithin, type LogRange } from "./core/log_range.ts";
import type { Placement } from "./core/standings.ts";
import { assertKept, type CompactionOptions } from "./compaction.ts";
import type { Sink, Source, System } from "./endpoints.ts";

/** Asks a system until it answers. */
export type Ask = <T>(system: System, question: () => Promise<T>) => Promise<T>;

/** Whom to ask, and what to do with records that are gone. */
export interface LocateOptions extends CompactionOptions {
  readonly sink: Sink;
  readonly ask: Ask;
}

/**
 * Where the sink has each partition, and what its log holds.
 * @throws {OperatorError} for a partition that does not stand within its log, or a log that is compacted.
 */
export async function locate(
  partitions: readonly number[],
  { source, sink, observer, ask, onDataLoss }: LocateOptions,
): Promise<Placement[]> {
  if (partitions.length === 0) return [];
  await assertKept({ source, observer, onDataLoss }, ask);
  const askRanges = () => ask("source", () => rangesOf(partitions, source));
  // The log's start is asked for with each try: retention may move it while the sink is away.
  const positions = await ask("looks", async () => sink.positions(startsOf(await askRanges())));
  // The ranges again: the log may have grown, and been counted elsewhere, since.
  const ranges = await askRanges();
  return Array.from(positions, ([partition, position]) => {
    const range = ranges.get(partition)!;
    const { nextOffset } = position;
    if (!isLossAccepted(nextOffset, { range, onDataLoss })) {
      lagWithin({ partition, position: nextOffset }, range);
    }
    return { partition, position, range };
  });
}

/** True for a position whose records are gone, where it was decided to go on behind them. */
export function isLossAccepted(
  position: number,
  { range, onDataLoss }: {
    readonly range: LogRange | undefined;
    readonly onDataLoss: "fail" | "continue";
  },
): boolean {
  return onDataLoss === "continue" && range !== undefined && position < range.startOffset;
}

/** @throws {UnavailableError} as long as the source does not know all of them, as just after they were added. */
async function rangesOf(
  partitions: readonly number[],
  source: Source,
): Promise<ReadonlyMap<number, LogRange>> {
  const ranges = await source.logRanges(partitions);
  const unknown = partitions.filter((partition) => !ranges.has(partition));
  if (unknown.length === 0) return ranges;
  throw new UnavailableError(`The topic does not have the partitions ${unknown.join(", ")} yet`);
}

function startsOf(ranges: ReadonlyMap<number, LogRange>): Map<number, number> {
  return new Map(Array.from(ranges, ([partition, { startOffset }]) => [partition, startOffset]));
}

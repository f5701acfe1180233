/**
 * Where a position is in its log, or why it is not in it.
 * @module
 */

import { OperatorError } from "../failure.ts";
import { plural } from "../text/numbers.ts";

/** Offsets that a partition's log holds: `[startOffset, endOffset)`. */
export interface LogRange {
  readonly startOffset: number;
  readonly endOffset: number;
}

export interface LogPart {
  readonly partition: number;
  /** Offsets `[from, to)`; `to` must not exceed what may be read of the log. */
  readonly from: number;
  readonly to: number;
}

export interface LogView {
  readonly ranges: ReadonlyMap<number, LogRange>;
  /** Partitions that exist but cannot be read at the moment, with the reason. */
  readonly unavailable: ReadonlyMap<number, string>;
}

/** Kafka has deleted records before they were read. */
export class RecordsLostError extends OperatorError {
  constructor(partition: number, { from, to }: { readonly from: number; readonly to: number }) {
    super(
      `Cannot continue with partition ${partition} at offset ${from}: the log starts at ${to}, ` +
        `so Kafka has deleted ${plural(to - from, "offset")} before they were counted. ` +
        "Increase the topic's retention beyond the longest expected downtime. To continue without them, set ON_DATA_LOSS=continue.",
    );
  }
}

/** Kafka removes records whether or not they are counted. */
export class CompactedError extends OperatorError {
  constructor() {
    super(
      "Cannot count the topic: its cleanup.policy is compact, so Kafka removes a record once a newer one has the same key, " +
        "even before it is counted. Set the topic's cleanup.policy to delete. " +
        "To count the remaining records anyway, set ON_DATA_LOSS=continue.",
    );
  }
}

/** Note about a compacted topic that is counted anyway. */
export const COMPACTED_NOTE =
  "the topic is compacted (cleanup.policy): records that Kafka removes before they are read are not counted, " +
  "because ON_DATA_LOSS is continue";

/** The log is not the one that was counted. */
export class OtherLogError extends OperatorError {
  constructor(partition: number, what: string) {
    super(
      `Cannot continue with partition ${partition}: ${what}. It is not the log that was counted: ` +
        "the topic was deleted and created again, KAFKA_BROKERS names another cluster, or Kafka has lost records. " +
        "Nothing was counted from it. Point the settings at the log that was counted, or DATABASE_URL at another database, " +
        "or continue in this one with `reset --log`.",
    );
  }
}

/** Records between a position and the end of its log, of those that Kafka still has. */
export function lagOf(position: number | null, { startOffset, endOffset }: LogRange): number {
  return Math.max(0, endOffset - Math.max(position ?? startOffset, startOffset));
}

/**
 * The lag of a position that has to be within its log.
 * @throws {RecordsLostError} if the log starts behind the position.
 * @throws {OtherLogError} if the log ends before it, or is not there.
 */
export function lagWithin(
  { partition, position }: { readonly partition: number; readonly position: number },
  range: LogRange | undefined,
): number {
  if (range === undefined) {
    throw new OtherLogError(partition, "the topic no longer has it");
  }
  const { startOffset, endOffset } = range;
  if (position < startOffset) {
    throw new RecordsLostError(partition, { from: position, to: startOffset });
  }
  if (position > endOffset) {
    throw new OtherLogError(
      partition,
      `it was counted up to offset ${position}, but the log ends at ${endOffset}`,
    );
  }
  return lagOf(position, range);
}

/**
 * Where a position stands in its log, or why it cannot.
 * @module
 */

import { OperatorError } from "./failure.ts";

/** Offsets that a partition's log holds: `[startOffset, endOffset)`. */
export interface LogRange {
  readonly startOffset: number;
  readonly endOffset: number;
}

/**
 * Number of records between a position and the end of its log.
 * @throws {OperatorError} if the log does not hold the position: it is another log, or it has lost records.
 */
export function lagWithin(
  partition: number,
  position: number,
  range: LogRange | undefined,
): number {
  if (range === undefined) {
    throw new OperatorError(
      `Cannot go on with partition ${partition}: the topic does not have it any more. ` +
        "Was the topic deleted and created again?",
    );
  }
  const { startOffset, endOffset } = range;
  if (position < startOffset) {
    throw new OperatorError(
      `Cannot go on with partition ${partition} at offset ${position}: the log starts at ${startOffset}, ` +
        `so ${startOffset - position} offsets were deleted by Kafka before they were counted. ` +
        "Is the topic's retention shorter than the worker was away?",
    );
  }
  if (position > endOffset) {
    throw new OperatorError(
      `Cannot go on with partition ${partition} at offset ${position}: the log ends at ${endOffset}. ` +
        "It is not the log that was counted: was the topic deleted and created again, or is KAFKA_BROKERS another cluster?",
    );
  }
  return endOffset - position;
}

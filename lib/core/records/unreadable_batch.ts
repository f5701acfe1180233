/**
 * Batches that cannot be read.
 * @module
 */

import { OperatorError } from "../failure.ts";

/** A batch that is damaged or of an unknown kind. Reading it again does not help. */
export class UnreadableBatchError extends RangeError {
  override readonly name = "UnreadableBatchError";
  readonly baseOffset: number;
  readonly nextOffset: number;

  /** @param problem what is wrong with the batch, as a clause; and what to do, if that is known. */
  constructor(
    { baseOffset, nextOffset }: { readonly baseOffset: number; readonly nextOffset: number },
    problem: string,
    options?: ErrorOptions,
  ) {
    super(problem, options);
    this.baseOffset = baseOffset;
    this.nextOffset = nextOffset;
  }
}

export function malformed(
  batch: {
    readonly baseOffset: number;
    readonly nextOffset: number;
    readonly recordCount: number;
  },
): UnreadableBatchError {
  const problem = `its ${batch.recordCount} records do not fill its bytes exactly`;
  return new UnreadableBatchError(batch, problem);
}

/** Names the partition of an unreadable batch, for the operator; other errors stay as they are. */
export function inPartition(partition: number, error: unknown): unknown {
  if (!(error instanceof UnreadableBatchError)) return error;
  const { baseOffset, nextOffset, message, cause } = error;
  return new OperatorError(
    `Cannot read partition ${partition} at offset ${baseOffset}: ${message}. Counting stops before it. ` +
      `To skip it, stop all workers and use \`reset --log --to\` with offset ${nextOffset} for partition ${partition}.`,
    { cause },
  );
}

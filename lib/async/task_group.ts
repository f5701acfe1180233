/**
 * Loops that belong together.
 * @module
 */

import { isPassing } from "../core/failure.ts";

export interface TaskGroupOptions {
  /** Aborted when the first of the loops ends, for whatever reason. */
  readonly ended: AbortController;
  /** Tells the loops to end. */
  readonly stopping: AbortSignal;
}

/**
 * Resolves when all loops have ended.
 * @throws the first failure; but a question that was given up because the end was asked for is none.
 */
export async function runTaskGroup(
  loops: readonly Promise<void>[],
  { ended, stopping }: TaskGroupOptions,
): Promise<void> {
  let failure: { readonly error: unknown } | undefined;
  await Promise.all(loops.map((loop) =>
    loop.catch((error) => {
      if (!stopping.aborted || !isPassing(error)) failure ??= { error };
    }).finally(() => ended.abort())
  ));
  if (failure) throw failure.error;
}

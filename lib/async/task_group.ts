/**
 * Loops that start and end together.
 * @module
 */

import { isPassing } from "../core/failure.ts";

export interface TaskGroupOptions {
  /** Aborted when the first loop ends, for whatever reason. */
  readonly ended: AbortController;
  readonly stopping: AbortSignal;
}

/**
 * Resolves when all loops have ended.
 * @throws the first failure; one that passes is none once the loops are stopping.
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

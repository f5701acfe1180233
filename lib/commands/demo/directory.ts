/**
 * The directory of `--data-dir`.
 * @module
 */

import { join } from "node:path";
import { OperatorError } from "../../core/failure.ts";

/** Creates the directory, and locks it until it is disposed. */
export async function lockDirectory(dataDir: string): Promise<Disposable> {
  let lock: Deno.FsFile;
  try {
    await Deno.mkdir(dataDir, { recursive: true });
    lock = await Deno.open(join(dataDir, "lock"), { create: true, write: true });
  } catch (error) {
    throw new OperatorError(
      `Cannot keep counts in ${dataDir}. Check the directory of --data-dir`,
      { cause: error },
    );
  }
  if (await lock.tryLock(true)) return lock;
  lock.close();
  throw new OperatorError(
    `Cannot keep counts in ${dataDir}: another demo uses it. Pass another directory to --data-dir.`,
  );
}

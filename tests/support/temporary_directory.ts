/**
 * A directory of one test.
 * @module
 */

import { eventually } from "./eventually.ts";

/** A new directory; removed when it is disposed, as soon as nobody writes to it any more. */
export async function temporaryDirectory(): Promise<{ readonly path: string } & AsyncDisposable> {
  const path = await Deno.makeTempDir();
  return {
    path,
    [Symbol.asyncDispose]: () => eventually(() => Deno.remove(path, { recursive: true })),
  };
}

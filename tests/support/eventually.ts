/**
 * Waiting for what another process does.
 * @module
 */

const POLL_MS = 25;
/** Only what hangs takes as long, however busy the machine is. */
export const MAX_WAIT_MS = 180_000;

/** Result of the first `look` that neither throws nor is false; the last error after the time is over. */
export async function eventually<T>(
  look: () => T | Promise<T>,
  { timeoutMs = MAX_WAIT_MS }: { readonly timeoutMs?: number } = {},
): Promise<Exclude<T, false>> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    let failure: unknown;
    try {
      const result = await look();
      if (result !== false) return result as Exclude<T, false>;
      failure = new Error("still false");
    } catch (error) {
      failure = error;
    }
    if (performance.now() > deadline) {
      throw new Error(`Did not come true within ${timeoutMs} ms: ${look}`, { cause: failure });
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

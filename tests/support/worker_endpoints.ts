/**
 * What a worker says of itself where it serves its page; a URL is that of the page.
 * @module
 */

import { eventually } from "./eventually.ts";

/** Looks at `/readyz`. */
export async function readiness(url: string): Promise<number> {
  return (await fetch(`${url}readyz`)).status;
}

/** Resolves when the worker has tried in vain to commit once more since now. */
export async function triedAgain(url: string): Promise<void> {
  const tries = async () => {
    const metrics = await (await fetch(`${url}metrics`)).text();
    return Number(metrics.match(/^lottery_retries_total\{system="sink"\} (\d+)$/m)![1]);
  };
  const before = await tries();
  await eventually(async () => await tries() > before);
}

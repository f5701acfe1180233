/**
 * One server for a whole test run: each test file asks for it, the first one starts it.
 * @module
 */

import { join } from "node:path";
import { eventually } from "./eventually.ts";

/** Directory of this test run; its servers' guards remove it. */
const RUN_DIRECTORY = join(Deno.env.get("TMPDIR") ?? "/tmp", `lottery-events-test-${Deno.pid}`);

/** Address of the server called `name`, which `start` starts in a directory of its own and returns. */
export async function sharedServer(
  name: string,
  start: (directory: string) => Promise<string>,
): Promise<string> {
  const directory = join(RUN_DIRECTORY, name);
  const addressFile = join(directory, "address");
  await Deno.mkdir(RUN_DIRECTORY, { recursive: true });
  try {
    await Deno.mkdir(directory); // the first of several wins
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
    return await eventually(() => Deno.readTextFile(addressFile), { timeoutMs: 120_000 });
  }
  const address = await start(directory);
  await Deno.writeTextFile(`${addressFile}.new`, address);
  await Deno.rename(`${addressFile}.new`, addressFile);
  return address;
}

/**
 * One server for a whole test run: each test file asks for it, the first one starts it.
 * @module
 */

import { join } from "node:path";
import { eventually } from "./eventually.ts";

/** Directory of this test run; whoever leaves it last removes it. */
export const RUN_DIRECTORY = join(
  Deno.env.get("TMPDIR") ?? "/tmp",
  `lottery-events-test-${Deno.pid}`,
);

/** Address of the server called `name`, which `start` starts in a directory of its own and returns. */
export async function sharedServer(
  name: string,
  start: (directory: string) => Promise<string>,
): Promise<string> {
  const directory = join(RUN_DIRECTORY, name);
  const answerFile = join(directory, "answer.json");
  await Deno.mkdir(RUN_DIRECTORY, { recursive: true });
  try {
    await Deno.mkdir(directory); // the first of several wins
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
    return read(await eventually(() => Deno.readTextFile(answerFile)));
  }
  const answer: Answer = await start(directory).then(
    (address) => ({ address }),
    (error) => ({ problem: String(error) }),
  );
  await Deno.writeTextFile(`${answerFile}.new`, JSON.stringify(answer));
  await Deno.rename(`${answerFile}.new`, answerFile);
  return read(JSON.stringify(answer));
}

/** Where the server is, or why it is not. */
type Answer = { readonly address: string } | { readonly problem: string };

function read(text: string): string {
  const answer: Answer = JSON.parse(text);
  if ("address" in answer) return answer.address;
  throw new Error(`Cannot start the server: ${answer.problem}`);
}

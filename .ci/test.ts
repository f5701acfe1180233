/**
 * `deno task test`: all tests, or those of the arguments, and at the end one list of what was ignored
 * and of what to install for it.
 * @module
 */

import { ignoredLines } from "../tests/support/programs.ts";

async function test(args: readonly string[]): Promise<number> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["test", "-P", "--parallel", ...args],
    stdout: "piped",
    env: Deno.stdout.isTerminal() && !Deno.noColor ? { FORCE_COLOR: "1" } : {},
  }).spawn();
  // Ctrl-C reaches both: the tests end first, and say which were under way.
  Deno.addSignalListener("SIGINT", () => {});
  const decoder = new TextDecoder();
  let output = "";
  for await (const bytes of child.stdout) {
    output += decoder.decode(bytes, { stream: true });
    await Deno.stdout.write(bytes);
  }
  // deno-lint-ignore no-control-regex
  const lines = ignoredLines(output.replaceAll(/\x1b\[[\d;]*m/g, ""));
  if (lines.length > 0) console.log(`${lines.join("\n")}\n`);
  return (await child.status).code;
}

if (import.meta.main) Deno.exit(await test(Deno.args));

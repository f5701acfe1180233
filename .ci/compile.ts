/**
 * `deno task compile`: one executable file that holds the program, its packages and the
 * permissions of `start`. Arguments are those of `deno compile`, such as `--target` and `--output`.
 * @module
 */

import { createRequire } from "node:module";
import { dirname, join } from "node:path";

const ROOT = join(import.meta.dirname!, "..");
const OUTPUT = "lottery-events-pipeline";

/** What Deno says when it has no base program to put ours into. */
const NO_BASE = /Setting up base binary|Could not find denort/;

async function compile(args: readonly string[]): Promise<number> {
  const { tasks } = JSON.parse(await Deno.readTextFile(join(ROOT, "deno.json")));
  const flags: string[] = tasks.start.command.match(/(-P|--v8-flags)=[^ ]+/g);
  const namesOutput = args.some((arg) => /^(-o|--output)/.test(arg));
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      ...["compile", "--frozen", "--no-prompt", "--exclude-unused-npm", ...flags],
      // Two megabytes of numbers for a test, which Deno 2.9 takes for a program and fails to parse.
      ...["--exclude", join(packageDirectory("prom-client", "tdigest", "bintrees"), "test")],
      ...namesOutput ? [] : ["--output", OUTPUT],
      ...args,
      join(ROOT, "main.ts"),
    ],
    stderr: "piped",
  }).spawn();
  let said = "";
  for await (const text of child.stderr.pipeThrough(new TextDecoderStream())) {
    said += text;
    if (!NO_BASE.test(said)) await Deno.stderr.write(new TextEncoder().encode(text));
  }
  const { code } = await child.status;
  if (code !== 0 && NO_BASE.test(said)) {
    console.error(
      "Cannot compile: Deno's base program, which ours is put into, can neither be downloaded nor found. " +
        `Set DENORT_BIN to the file denort of denort-TARGET.zip, which belongs to the release of Deno ${Deno.version.deno}.`,
    );
  }
  return code;
}

/** Directory of a package that is needed by the one before it, the first of them by us. */
function packageDirectory(...names: readonly string[]): string {
  const entry = names.reduce(
    (importer, name) => createRequire(importer).resolve(name),
    join(ROOT, "main.ts"),
  );
  return dirname(entry);
}

if (import.meta.main) Deno.exit(await compile(Deno.args));

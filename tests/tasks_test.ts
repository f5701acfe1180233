/** What the tasks of deno.json let the program do. */

import assert from "node:assert/strict";
import { join } from "node:path";
import { ROOT } from "./support/worker_process.ts";

/** Without it nothing connects to PostgreSQL's socket. */
const SOCKET = "--allow-write=/var/run/postgresql/.s.PGSQL.5432";

/** What tasks may write that do not open the PostgreSQL of the settings. */
const OTHERS: Readonly<Record<string, readonly string[]>> = {
  demo: ["--allow-write"], // its database is where its user says
  produce: [],
  alert: [],
};

/** Flags of the runtime by the command of the program that each task runs. */
const flags = new Map<string, readonly string[]>();
const { tasks } = JSON.parse(await Deno.readTextFile(join(ROOT, "deno.json")));
for (const [name, { command }] of Object.entries<{ readonly command: string }>(tasks)) {
  const [, given, run] = command.match(/^deno run (.*)\bmain\.ts (\S+)$/) ?? [];
  if (run === undefined) continue;
  assert.equal(run, name);
  flags.set(run, given!.trim().split(" "));
}

Deno.test("every task of the program that opens PostgreSQL may write to its socket, and nowhere else", () => {
  assert.ok(flags.size > 8);
  for (const [name, given] of flags) {
    const writes = given.filter((flag) => flag.startsWith("--allow-write"));
    assert.deepEqual(writes, OTHERS[name] ?? [SOCKET], name);
  }
  for (const name of Object.keys(OTHERS)) assert.ok(flags.has(name), name);
});

Deno.test("no task of the program asks for a permission, or has them all", () => {
  for (const [name, given] of flags) {
    assert.ok(given.includes("--no-prompt"), name);
    assert.ok(!given.includes("--allow-all") && !given.includes("-A"), name);
  }
});

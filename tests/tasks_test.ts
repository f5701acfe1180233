/** What the tasks of deno.json let the program do. */

import assert from "node:assert/strict";
import { join } from "node:path";
import { ROOT } from "./support/worker_process.ts";

/** Without it nothing connects to PostgreSQL's socket. */
const SOCKET = ["/var/run/postgresql/.s.PGSQL.5432"];

/** What tasks may write that do not open the PostgreSQL of the settings. */
const OTHERS: Readonly<Record<string, unknown>> = {
  demo: true, // its database is where its user says
  produce: undefined,
  alert: undefined,
};

/** Tasks whose mails or worker name the host. */
const NAMES_HOST = ["start", "doctor", "alert", "audit"];

interface Task {
  readonly flags: readonly string[];
  readonly permissions: Readonly<Record<string, unknown>>;
}

const manifest = JSON.parse(await Deno.readTextFile(join(ROOT, "deno.json")));

/** By the command of the program that each task runs. */
const tasks = new Map<string, Task>();
for (const [name, { command }] of Object.entries<{ readonly command: string }>(manifest.tasks)) {
  const [, given, run] = command.match(/^deno run (.*)\bmain\.ts (\S+)$/) ?? [];
  if (run === undefined) continue;
  assert.equal(run, name);
  const flags = given!.trim().split(" ");
  const [set] = flags.flatMap((flag) => flag.startsWith("-P=") ? [flag.slice(3)] : []);
  assert.ok(set !== undefined && set in manifest.permissions, `${name} has a permission set`);
  tasks.set(name, { flags, permissions: manifest.permissions[set] });
}

Deno.test("every task of the program that opens PostgreSQL may write to its socket, and nowhere else", () => {
  assert.ok(tasks.size > 8);
  for (const [name, { permissions }] of tasks) {
    assert.deepEqual(permissions.write, name in OTHERS ? OTHERS[name] : SOCKET, name);
  }
  for (const name of Object.keys(OTHERS)) assert.ok(tasks.has(name), name);
});

Deno.test("a task of the program may read, use the network, and know the host's name if it says it", () => {
  for (const [name, { permissions: { write: _, ...permissions } }] of tasks) {
    const sys = NAMES_HOST.includes(name) ? { sys: ["hostname"] } : {};
    assert.deepEqual(permissions, { env: true, net: true, read: true, ...sys }, name);
  }
});

Deno.test("no task of the program asks for a permission, or has others than those of its set", () => {
  for (const [name, { flags }] of tasks) {
    assert.ok(flags.includes("--no-prompt"), name);
    assert.ok(!flags.some((flag) => /^(--allow-|-[A-OQ-Z])/.test(flag)), name);
  }
});

Deno.test("the runtime says nothing of its own among the lines of a program's log", () => {
  // Without the flag Deno 2.9 warns that permission sets are experimental.
  for (const [name, { flags }] of tasks) assert.ok(flags.includes("--quiet"), name);
});

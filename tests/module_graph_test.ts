/** What a command loads, and what it does without. */

import assert from "node:assert/strict";
import { join, relative } from "node:path";
import { loadedModules } from "./support/module_graph.ts";
import { ROOT } from "./support/worker_process.ts";

/** Modules of the commands that operate a pipeline which workers count. */
const OPERATING = [
  "audit/audit.ts",
  "audit/report.ts",
  "dead_letters/list.ts",
  "dead_letters/replay.ts",
  "dead_letters/show.ts",
  "doctor/doctor.ts",
  "reset/reset.ts",
  "status/report.ts",
  "status/status.ts",
];

/** Web server, page, metrics, and whatever else only a worker has. */
const OF_A_WORKER = /^lib\/(worker|observers|io\/http|io\/metrics\.ts)|prom-client|uplot|pglite/;

async function loadedBy(path: string, options = {}): Promise<string[]> {
  const loaded = await loadedModules(join(ROOT, path), options);
  return loaded.map((each) => each.startsWith(ROOT) ? relative(ROOT, each) : each);
}

for (const path of OPERATING) {
  Deno.test(`${path} loads neither web server nor page nor metrics`, async () => {
    const loaded = await loadedBy(`lib/commands/${path}`);
    assert.ok(loaded.some((each) => each.startsWith("lib/core/")), "the graph was read");
    assert.deepEqual(loaded.filter((each) => OF_A_WORKER.test(each)), []);
  });
}

Deno.test("start loads a web server, so that the pattern finds one", async () => {
  const loaded = await loadedBy("lib/commands/start/start.ts");
  for (const name of ["lib/worker/worker.ts", "lib/io/metrics.ts", "prom-client", "uplot"]) {
    assert.ok(loaded.some((each) => each.includes(name) && OF_A_WORKER.test(each)), name);
  }
});

Deno.test("main loads no driver before it knows which command it runs", async () => {
  const loaded = await loadedBy("main.ts", { isStatic: true });
  assert.ok(loaded.includes("lib/commands/audit/command.ts"));
  const early = /^lib\/(worker|io\/(kafka|postgres|http)|commands\/\w+\/(?!command\.ts)(?<!cli\/))/;
  assert.deepEqual(loaded.filter((each) => early.test(each)), []);
  for (const driver of ["kafkajs", "npm:pg@", "nodemailer", "prom-client", "pglite"]) {
    assert.ok(!loaded.some((each) => each.includes(driver)), driver);
  }
});

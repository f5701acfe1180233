/**
 * Measures the whole program on real servers: `deno task bench [--quick] [--only PART] [--profile DIRECTORY] [--json FILE]`.
 * @module
 */

import os from "node:os";
import process from "node:process";
import { parseArgs } from "node:util";
import { audit } from "./audit.ts";
import { growth, workers } from "./growth.ts";
import { latency } from "./latency.ts";
import { reading } from "./reading/reading.ts";
import { type Finding, table } from "./report.ts";
import { memory, startAndIdle } from "./resources.ts";
import { openStand, type Stand } from "./stand.ts";
import { storage } from "./storage.ts";
import { throughput } from "./throughput.ts";

const PARTS: Readonly<Record<string, (stand: Stand) => AsyncGenerator<Finding>>> = {
  throughput,
  audit,
  startAndIdle,
  memory,
  latency,
  growth,
  workers,
  storage,
  reading,
};

const { values } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    only: { type: "string", multiple: true, default: Object.keys(PARTS) },
    profile: { type: "string" },
    json: { type: "string", default: "tests/bench/last.json" },
  },
});
const stand = await openStand({ isQuick: values.quick, profileDirectory: values.profile });
const findings: Finding[] = [];
const startedAt = performance.now();
for (const name of values.only) {
  const part = PARTS[name];
  if (!part) throw new Error(`There is no part ${name}, only ${Object.keys(PARTS).join(", ")}`);
  for await (const finding of part(stand)) {
    findings.push(values.quick ? unjudged(finding) : finding);
    const seconds = Math.round((performance.now() - startedAt) / 1000);
    console.error(`${seconds} s  ${finding.what}: ${finding.measured}`);
  }
}

const machine = {
  at: new Date().toISOString(),
  cpu: os.cpus()[0]?.model.trim() ?? "unknown",
  cores: os.cpus().length,
  memoryGigabytes: Math.round(os.totalmem() / 2 ** 30),
  system: `${os.type()} ${os.release()}`,
  deno: Deno.version.deno,
  v8: Deno.version.v8,
  kafka: "4.3.1",
  postgresql: (await postgresVersion(stand)).split(" ")[0]!,
};
console.log(Object.entries(machine).map(([name, value]) => `${name}: ${value}`).join(" · "));
console.log(table(findings).join("\n"));
if (values.quick) {
  console.log("Whether a goal is reached only the whole run tells: this one is mostly starts.");
}
await Deno.writeTextFile(values.json, JSON.stringify({ machine, findings }, null, 2) + "\n");
console.log(`Written to ${values.json}`);
process.exit();

function unjudged({ isReached: _, ...finding }: Finding): Finding {
  return finding;
}

async function postgresVersion(stand: Stand): Promise<string> {
  await using database = await stand.createDatabase();
  const [row] = await database.connection.query<{ server_version: string }>({
    text: "show server_version",
  });
  return row!.server_version;
}

/** Tests reach no server but their own, whatever a `.env` of the checkout or the environment names. */

import assert from "node:assert/strict";
import { join } from "node:path";
import { SETTINGS } from "../lib/core/settings/config.ts";
import { run } from "./support/guarded_process.ts";
import { kafkaBrokers } from "./support/kafka.ts";
import { serverUrl } from "./support/postgres.ts";
import { serverTest } from "./support/servers.ts";
import { temporaryDirectory } from "./support/temporary_directory.ts";
import { ROOT, runtimeEnv } from "./support/worker_process.ts";

/**
 * An address of its own, because programs of other tests knock at ports of 127.0.0.1 where nobody
 * listens any more.
 */
const TRAP_HOST = "127.0.0.3";

/** Where production would be: counts who comes. */
function openTrap(): { readonly address: string; readonly visits: () => number } & Disposable {
  const listener = Deno.listen({ hostname: TRAP_HOST, port: 0 });
  let visits = 0;
  (async () => {
    for await (const connection of listener) {
      visits++;
      connection.close();
    }
  })().catch(() => {});
  return {
    address: `${TRAP_HOST}:${listener.addr.port}`,
    visits: () => visits,
    [Symbol.dispose]: () => listener.close(),
  };
}

/** One file for each way in which tests start programs: ours, ours in a terminal, and others' clients. */
const FILES = [
  "tests/commands/terminal_test.ts",
  "tests/commands/produce/produce_test.ts",
  "tests/compose/reader_test.ts",
];

/** What these need of the checkout. */
const COPIED = ["main.ts", "deno.json", "deno.lock", "compose.yaml", "lib", "tests", "grafana"];

serverTest(
  "tests use no server that .env or the environment names",
  ["kafka", "postgres", "script", "psql"],
  async () => {
    using trap = openTrap();
    const production = {
      KAFKA_BROKERS: trap.address,
      KAFKA_TOPIC: "production",
      DATABASE_URL: `postgres://production:secret@${trap.address}/production`,
      SMTP_HOST: TRAP_HOST,
      SMTP_PORT: trap.address.split(":")[1]!,
      ALERT_FROM: "production@example.org",
      ALERT_TO: "operators@example.org",
    };
    const [host, port] = trap.address.split(":");
    await using checkout = await temporaryDirectory();
    await run("cp", ["-R", ...COPIED.map((name) => join(ROOT, name)), checkout.path]);
    await Deno.writeTextFile(
      join(checkout.path, ".env"),
      Object.entries(production).map(([name, value]) => `${name}=${value}\n`).join(""),
    );
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["test", "-P", ...FILES],
      cwd: checkout.path,
      clearEnv: true,
      env: {
        ...runtimeEnv(),
        ...production,
        ...{ PGHOST: host!, PGPORT: port!, PGUSER: "production", PGDATABASE: "production" },
        ...{ CI: "true", NO_COLOR: "1" },
        TEST_KAFKA_BROKERS: await kafkaBrokers(),
        TEST_DATABASE_URL: await serverUrl(),
      },
    }).output();
    const said = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
    assert.equal(code, 0, said);
    assert.match(said, / [1-9]\d* passed \| 0 failed/);
    assert.equal(trap.visits(), 0, said);
  },
);

async function* sources(directory: string): AsyncGenerator<{ path: string; text: string }> {
  for await (const { name, isDirectory } of Deno.readDir(join(ROOT, directory))) {
    const path = `${directory}/${name}`;
    if (isDirectory) yield* sources(path);
    else if (/\.(ts|js)$|\/run$/.test(path)) {
      yield { path, text: await Deno.readTextFile(join(ROOT, path)) };
    }
  }
}

/** Files that may start a process, because they decide what is in its environment and directory. */
const STARTERS = [
  "tests/compile_test.ts",
  "tests/isolation_test.ts",
  "tests/programs_test.ts",
  "tests/commands/audit/verdict_test.ts",
  "tests/support/guarded_process.ts",
  "tests/support/image_build.ts",
  "tests/support/pseudo_terminal.ts",
  "tests/support/recount.ts",
  "tests/support/servers.ts",
  "tests/support/worker_process.ts",
  ".ci/compile.ts",
  ".ci/test.ts",
];

/** Files that may look at the whole environment, because they leave the settings of production out. */
const READERS_OF_ALL = ["tests/isolation_test.ts", "tests/support/guarded_process.ts"];

Deno.test("tests, benchmarks and CI read no setting of production, and start programs in known places", async () => {
  const files = [
    ...await Array.fromAsync(sources("tests")),
    ...await Array.fromAsync(sources(".ci")),
  ];
  assert.ok(files.length > 100);
  for (const { path, text } of files) {
    for (
      const [, name] of text.matchAll(/Deno\.env\.(?:get|has)\("([A-Z_]+)"\)|process\.env\.(\w+)/g)
    ) {
      assert.ok(!SETTINGS.includes(name!), `${path} reads ${name}`);
    }
    if (/Deno\.env\.toObject|loadEnvFile|process\.env\b(?!\.\w)/.test(text)) {
      assert.ok(READERS_OF_ALL.includes(path), path);
    }
    if (/new Deno\.Command|node:child_process/.test(text)) assert.ok(STARTERS.includes(path), path);
  }
});

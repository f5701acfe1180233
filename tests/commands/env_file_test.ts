import assert from "node:assert/strict";
import { join } from "node:path";
import { makeLines } from "../support/event_lines.ts";
import { Expectation } from "../support/expectation.ts";
import { openAdmin } from "../support/kafka.ts";
import { kcatProduce } from "../support/kcat.ts";
import { createDatabase } from "../support/postgres.ts";
import { serverTest } from "../support/servers.ts";
import { openStack } from "../support/stack.ts";
import { temporaryDirectory } from "../support/temporary_directory.ts";
import { type Environment, Program, runProgram } from "../support/worker_process.ts";

/** The addresses that a program of the tests has by default would win over the file's. */
const UNSET: Environment = { KAFKA_BROKERS: undefined, DATABASE_URL: undefined };

/** A directory with this file. */
async function directoryWith(text: string | Uint8Array) {
  const directory = await temporaryDirectory();
  const bytes = typeof text === "string" ? new TextEncoder().encode(text) : text;
  await Deno.writeFile(join(directory.path, ".env"), bytes);
  return directory;
}

function linesOf(env: Readonly<Record<string, string>>): string {
  return Object.entries(env).map(([name, value]) => `${name}='${value}'\n`).join("");
}

Deno.test("doctor and start say which file was read, how many settings it gave, and what won over it", async () => {
  await using directory = await directoryWith(
    "\ufeffKAFKA_BROKERS=127.0.0.1:2\r\nDATABASE_URL=postgres://file@127.0.0.1:1/x\r\nKAFKA_TOPIC=events\r\n",
  );
  const { path: cwd } = directory;
  const doctor = await runProgram(["doctor"], { cwd, env: { KAFKA_BROKERS: undefined } });
  const path = await Deno.realPath(cwd);
  // LOG_FORMAT is the tests' own.
  const origin = `2 from ${path}/.env, 2 from the environment (overriding the file: DATABASE_URL)`;
  assert.ok(doctor.stdout.startsWith(`ok    Settings: ${origin}\n`), doctor.stdout);
  assert.match(doctor.stdout, /^FAIL {2}Kafka 127\.0\.0\.1:2:/m);
  assert.match(doctor.stdout, /^FAIL {2}PostgreSQL nobody@/m);

  await using start = await Program.start(["start"], { cwd, env: { KAFKA_BROKERS: undefined } });
  await start.printed(/Settings: 2 from [^"]+\.env, 2 from the environment/);

  await using empty = await temporaryDirectory();
  const without = await runProgram(["doctor"], { cwd: empty.path });
  assert.match(
    without.stdout,
    /^ok {4}Settings: 3 from the environment; no \.env file in /,
  );
});

Deno.test("a setting that the environment sets to nothing is not set, whatever the file says", async () => {
  await using directory = await directoryWith("WINDOW_SECONDS=soon\n");
  const { path: cwd } = directory;
  assert.match((await runProgram(["doctor"], { cwd })).stderr, /^WINDOW_SECONDS must be/m);
  const { stdout } = await runProgram(["doctor"], { cwd, env: { WINDOW_SECONDS: "" } });
  assert.match(stdout, /^ok {4}Settings: 0 from .*\(overriding the file: WINDOW_SECONDS\)$/m);
});

Deno.test("what is wrong in the file is told at once with what is wrong elsewhere, and help needs none of it", async () => {
  await using directory = await directoryWith(
    "KAFKA_BROKER=one:9092\nSMTP_HOST: mail\nWINDOW_SECONDS=60\nKAFKA_HEAP_OPTS=-Xmx1g\nWINDOW_SECONDS=soon\nALERT_TO='me\n",
  );
  const { path: cwd } = directory;
  const { code, stderr } = await runProgram(["start"], {
    cwd,
    env: { HTTP_PROT: "80", KAFKA_HOME: "/opt", KAFKA_PORT: "tcp://10.0.0.1:9092" },
  });
  assert.equal(code, 2);
  assert.deepEqual(stderr.trim().split("\n"), [
    ".env, line 1: KAFKA_BROKER is not a setting. Did you mean KAFKA_BROKERS?",
    ".env, line 2: this is not an assignment like NAME=value",
    ".env, line 5: WINDOW_SECONDS is already set in line 3. Remove one of them",
    ".env, line 6: the quote of ALERT_TO is not closed",
    "In the environment: HTTP_PROT is not a setting. Did you mean HTTP_PORT?",
    'WINDOW_SECONDS must be a whole number from 1 to 86400, but is "soon"',
  ]);
  assert.equal((await runProgram(["start", "--help"], { cwd })).code, 0);

  const utf16 = new Uint8Array([0xff, 0xfe, ...new TextEncoder().encode("A\0=\0\x31\0")]);
  await using other = await directoryWith(utf16);
  const refused = await runProgram(["start"], { cwd: other.path });
  assert.deepEqual([refused.code, refused.stderr], [
    2,
    ".env: this file is UTF-16, as some editors write it. Save it as UTF-8\n",
  ]);
});

serverTest(
  "the environment wins over .env: what is reset and filled is what it names",
  ["kafka", "postgres"],
  async () => {
    await using ofFile = await openStack({ partitions: 1 });
    await using named = await openStack({ partitions: 1 });
    for (const { topic, env } of [ofFile, named]) {
      await kcatProduce(topic, makeLines(100, new Expectation()));
      assert.equal((await runProgram(["start", "--once"], { env })).code, 0);
    }
    await using directory = await directoryWith(linesOf(ofFile.env));
    const { path: cwd } = directory;
    const counted = async ({ database }: typeof ofFile) =>
      (await database.connection.query({ text: "select from lottery_aggregates" })).length;
    const records = async ({ topic }: typeof ofFile) => {
      await using admin = await openAdmin(topic.brokers);
      return Number((await admin.fetchTopicOffsets(topic.name))[0]!.high);
    };
    const before = await counted(ofFile);
    assert.ok(before > 0);

    const reset = await runProgram(["reset", "--recount", "--yes"], { cwd, env: named.env });
    assert.equal(reset.code, 0, reset.stderr);
    assert.deepEqual([await counted(ofFile), await counted(named)], [before, 0]);

    const produce = await runProgram(["produce", "--count", "50", "--yes"], {
      cwd,
      env: { ...UNSET, KAFKA_BROKERS: named.topic.brokers, KAFKA_TOPIC: named.topic.name },
    });
    assert.equal(produce.code, 0, produce.stderr);
    assert.deepEqual([await records(ofFile), await records(named)], [100, 150]);

    const fromFile = await runProgram(["audit", "--json"], { cwd, env: UNSET });
    assert.equal(JSON.parse(fromFile.stdout).verdict, "agrees", fromFile.stderr);
  },
);

serverTest(
  "a variable of .env that is PostgreSQL's own reaches its driver",
  ["postgres"],
  async () => {
    await using stack = await createDatabase();
    const url = new URL(stack.url);
    const { password } = url;
    url.password = "";
    await using directory = await directoryWith(
      linesOf({ DATABASE_URL: url.href, PGPASSWORD: decodeURIComponent(password) }),
    );
    const { code, stderr } = await runProgram(["migrate"], { cwd: directory.path, env: UNSET });
    assert.equal(code, 0, stderr);
  },
);

import assert from "node:assert/strict";
import type { Host } from "../../../lib/commands/cli/host.ts";
import { createProgram } from "../../../lib/commands/program.ts";
import { Terminal } from "../../../lib/io/terminal.ts";
import { freePort } from "../../support/free_port.ts";
import { createTopic } from "../../support/kafka.ts";
import { serverTest } from "../../support/servers.ts";
import { openStack } from "../../support/stack.ts";
import { Program, runProgram } from "../../support/worker_process.ts";

const AWAY = {
  KAFKA_BROKERS: `127.0.0.1:${freePort()}`,
  DATABASE_URL: `postgres://admin:hunter2@127.0.0.1:${freePort()}/lottery_db`,
};

/** Two at a time: more programs leave nothing of the machine to the tests beside these. */
async function forEachSome<T>(all: readonly T[], body: (each: T) => Promise<void>): Promise<void> {
  const left = all.values();
  await Promise.all(Array.from({ length: 2 }, async () => {
    for (const each of left) await body(each);
  }));
}

Deno.test("main reports every wrong setting at once, without secrets, and exits 2", async () => {
  const { code, stderr } = await runProgram(["start"], {
    env: {
      WINDOW_SECONDS: "soon",
      KAFKA_BROKERS: "localhost",
      DATABASE_URL: "mysql://admin:hunter2@localhost/x",
      KAFKA_SASL_MECHANISM: "plain",
    },
  });
  assert.equal(code, 2);
  for (
    const setting of ["WINDOW_SECONDS", "KAFKA_BROKERS", "DATABASE_URL", "KAFKA_SASL_USERNAME"]
  ) {
    assert.match(stderr, new RegExp(`^${setting} `, "m"));
  }
  assert.doesNotMatch(stderr, /hunter2/);
});

Deno.test("main explains wrong arguments and exits 2", async () => {
  for (const args of [["start", "--twice"], ["produce", "--bad", "2"], ["start", "now"]]) {
    const { code, stderr } = await runProgram(args);
    assert.equal(code, 2, stderr);
    assert.match(stderr, /--help/);
  }
});

Deno.test("every command refuses a number that is out of bounds, and names them", async () => {
  const huge = "99999999999999999999";
  const safe = "9007199254740991";
  const refusals: readonly (readonly [args: string, bounds: string])[] = [
    ["dead-letters list --partition 99999999999", "a whole number from 0 to 2147483647"],
    [`dead-letters list --from-offset ${huge}`, `a whole number from 0 to ${safe}`],
    [`dead-letters replay --to-offset ${huge}`, `a whole number from 0 to ${safe}`],
    [`dead-letters list --limit ${huge}`, `a whole number from 1 to ${safe}`],
    ["dead-letters list --limit 0", `a whole number from 1 to ${safe}`],
    [`audit --limit ${huge}`, `a whole number from 0 to ${safe}`],
    [`reset --recount --force ${huge}`, `a whole number from 0 to ${safe}`],
    [`produce --count ${huge}`, `a whole number from 0 to ${safe}`],
    ["produce --lotteries 1000001", "a whole number from 1 to 1000000"],
    ["produce --seed 4294967296", "a whole number from 0 to 4294967295"],
    ["produce --rate 1e999", "a number above 0, or max"],
    ["demo --speed 601", "a number from 1 to 600"],
  ];
  await forEachSome(refusals, async ([args, bounds]) => {
    const { code, stderr } = await runProgram(args.split(" "));
    assert.equal(code, 2, stderr);
    assert.ok(stderr.includes(`It must be ${bounds}.`), stderr);
  });
});

Deno.test("every command takes a time only with its zone, and only if there is such a day", async () => {
  const commands = [
    ["dead-letters", "list", "--since"],
    ["dead-letters", "replay", "--until"],
    ["reset", "--log", "--to"],
    ["dead-letters", "replay", "3/1042", "--set"],
  ];
  await forEachSome(commands, async (command) => {
    for (const time of ["2026-01-31T12:00:00", "2026-01-31(x)", "2026-02-31T00:00:00Z"]) {
      const text = command.at(-1) === "--set" ? `timestamp=${time}` : time;
      const { code, stderr } = await runProgram([...command, text]);
      assert.equal(code, 2, stderr);
      assert.match(stderr, /a time like 2026-01-31T12:00:00Z/);
    }
  });
});

/** Names of all commands that do something, as `dead-letters show`. */
function commandNames(
  command: ReturnType<typeof createProgram>,
  path: readonly string[] = [],
): string[] {
  if (command.commands.length === 0) return [path.join(" ")];
  return command.commands.flatMap((each) => commandNames(each, [...path, each.name()]));
}

Deno.test("main shows help with an example for every command", async () => {
  const names = commandNames(createProgram({ terminal: new Terminal() } as Host));
  assert.ok(names.includes("alert") && names.includes("dead-letters show"), names.join(", "));
  await forEachSome(names, async (name) => {
    const { code, stdout } = await runProgram([...name.split(" "), "--help"]);
    assert.equal(code, 0);
    assert.match(stdout, new RegExp(`For example:\\s+deno task ${name}`));
  });
});

Deno.test("start waits for Kafka, naming the setting, and stops when asked", async () => {
  await using worker = await Program.start(["start"], { env: AWAY });
  await worker.printed(
    /Cannot reach Kafka at 127.0.0.1:\d+. Is it running, and are KAFKA_BROKERS, KAFKA_SSL and KAFKA_SASL_MECHANISM right\?/,
  );
  worker.signal("SIGTERM");
  assert.equal(await worker.exitCode(), 0, worker.stderr);
});

Deno.test("start --once, produce and migrate do not wait: they exit 1 with one line", async () => {
  for (
    const [args, setting] of [
      [["start", "--once"], "KAFKA_BROKERS, KAFKA_SSL and KAFKA_SASL_MECHANISM"],
      [["produce", "--count", "1"], "KAFKA_BROKERS, KAFKA_SSL and KAFKA_SASL_MECHANISM"],
      [["migrate"], "DATABASE_URL"],
    ] as const
  ) {
    const { code, stderr } = await runProgram(args, { env: { ...AWAY, LOG_FORMAT: "pretty" } });
    assert.equal(code, 1);
    assert.match(stderr, new RegExp(`${setting} .*right`));
    const lines = stderr.trim().split("\n").filter((line) => !line.includes(" Settings: "));
    assert.equal(lines.length, 1, stderr);
    assert.doesNotMatch(stderr, /hunter2/);
  }
});

Deno.test("main shows stacks only with LOG_LEVEL=debug", async () => {
  const run = async (env: Readonly<Record<string, string>>) => {
    const { stderr } = await runProgram(["migrate"], { env: { ...AWAY, ...env } });
    assert.doesNotMatch(stderr, /hunter2/);
    return stderr;
  };
  const stacks = (stderr: string) =>
    stderr.trim().split("\n").map((line) => JSON.parse(line).stack)
      .filter((stack) => stack !== undefined);
  assert.equal(stacks(await run({})).length, 0);
  const [stack, ...more] = stacks(await run({ LOG_LEVEL: "debug" }));
  assert.match(stack, /^\s+at /m);
  assert.equal(more.length, 0);
  assert.match(await run({ LOG_LEVEL: "debug", LOG_FORMAT: "pretty" }), /^\s+at /m);
});

Deno.test("doctor reports everything that is wrong and exits 1", async () => {
  const { code, stdout } = await runProgram(["doctor"], {
    env: {
      ...AWAY,
      SMTP_HOST: "127.0.0.1",
      SMTP_PORT: String(freePort()),
      ALERT_FROM: "a@b.example",
      ALERT_TO: "c@d.example",
    },
  });
  assert.equal(code, 1);
  assert.match(stdout, /^FAIL {2}Kafka 127/m);
  assert.match(stdout, /^FAIL {2}PostgreSQL admin@127/m);
  assert.match(stdout, /^FAIL {2}SMTP/m);
  assert.doesNotMatch(stdout, /hunter2/);
});

serverTest(
  "doctor finds everything in order, and changes nothing",
  ["kafka", "postgres"],
  async () => {
    await using stack = await openStack();
    await using output = await createTopic();
    const env = { ...stack.env, KAFKA_OUTPUT_TOPIC: output.name };
    const { code, stdout } = await runProgram(["doctor"], { env });
    assert.equal(code, 0, stdout);
    assert.match(stdout, /^ok {4}Output topic test-[^ ]+: exists$/m);
    assert.match(stdout, /^ok {4}Topic test-[^ ]+: 4 partitions with 0 offsets$/m);
    assert.match(stdout, /^ok {4}PostgreSQL .*empty: the first start creates the tables$/m);
    const tables = await stack.database.connection.query({
      text: "select 1 from information_schema.tables where table_schema = 'public'",
    });
    assert.deepEqual(tables, []);
    const missing = await runProgram(["doctor"], {
      env: { ...env, KAFKA_OUTPUT_TOPIC: `${output.name}-2` },
    });
    assert.equal(missing.code, 1);
    assert.match(missing.stdout, /^FAIL {2}Output topic .*, or set KAFKA_OUTPUT_TOPIC to another/m);
  },
);

serverTest(
  "start stops with a sentence when PostgreSQL refuses it",
  ["kafka", "postgres"],
  async () => {
    await using stack = await openStack();
    const wrong = new URL(stack.database.url);
    wrong.password = "hunter2";
    const missing = new URL(stack.database.url);
    missing.pathname = "/not_there";
    for (
      const [url, message] of [
        [wrong.href, /it rejects the user or password. Check DATABASE_URL/],
        [missing.href, /does not exist. Create it with `migrate --create-database`/],
      ] as const
    ) {
      const { code, stderr } = await runProgram(["start"], {
        env: { ...stack.env, DATABASE_URL: url },
      });
      assert.equal(code, 1);
      assert.match(stderr, message);
      assert.doesNotMatch(stderr, /hunter2/);
    }
  },
);

Deno.test("start takes the next port if none is set, any with 0, and says so if the one that is set is taken", async () => {
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = taken.addr;
  const { code, stderr } = await runProgram(["start"], {
    env: { ...AWAY, HTTP_PORT: String(port) },
  });
  assert.equal(code, 1);
  assert.match(stderr, new RegExp(`port ${port} is in use. Set HTTP_PORT to a free port`));

  await using first = await Program.start(["start"], { env: AWAY });
  const [firstUrl] = await first.printed(/http:[^ ]+\d\//);
  await using second = await Program.start(["start"], { env: AWAY });
  const [secondUrl] = await second.printed(/http:[^ ]+\d\//);
  assert.notEqual(firstUrl, secondUrl);

  await using any = await Program.start(["start"], { env: { ...AWAY, HTTP_PORT: "0" } });
  const [anyUrl, anyPort] = await any.printed(/http:[^ ]+:([1-9]\d*)\//);
  assert.ok(Number(anyPort) >= 8_100, `${anyPort} is of those that are tried if none is set`);
  assert.equal((await fetch(`${anyUrl}healthz`)).status, 200);
});

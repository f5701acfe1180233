import assert from "node:assert/strict";
import { type Harm, HARMS, nextCommit } from "../../../../lib/commands/demo/chaos/harms.ts";
import { demo } from "../../../../lib/commands/demo/demo.ts";
import { OperatorError } from "../../../../lib/core/failure.ts";
import { parseConfig } from "../../../../lib/core/settings/config.ts";
import type { Commit } from "../../../../lib/core/windowing/pending.ts";
import { Terminal } from "../../../../lib/io/terminal.ts";
import { MAX_WAIT_MS } from "../../../support/eventually.ts";
import { FakeScreen } from "../../../support/screen.ts";
import { Program, runProgram } from "../../../support/worker_process.ts";

interface Line {
  readonly level: string;
  readonly message: string;
  readonly kind?: string;
}

function linesOf({ stderr }: { readonly stderr: string }): Line[] {
  return stderr.trimEnd().split("\n").map((line) => JSON.parse(line));
}

Deno.test("demo --chaos --count 100 does every kind of harm, and no row loses or doubles anything", async () => {
  const { code, stderr } = await runProgram(["demo", "--chaos", "--count", "100"], {
    env: { HTTP_PORT: "0" },
  });
  assert.equal(code, 0, stderr);
  const lines = linesOf({ stderr });
  const faults = lines.filter(({ message }) => /^Fault \d+: /.test(message));
  assert.equal(faults.length, 100);
  const times = (name: string) => faults.filter(({ kind }) => kind === name).length;
  for (const { name } of HARMS) {
    assert.ok(times(name) >= Math.floor(100 / HARMS.length), `${name}: ${times(name)}`);
  }
  assert.ok(lines.some(({ message }) => message === "100 faults survived: every row agrees"));
  assert.deepEqual(lines.filter(({ level }) => level === "error"), []);

  // What the worker says of itself: it was harmed indeed.
  const said = (pattern: RegExp) => lines.filter(({ message }) => pattern.test(message)).length;
  const dropped = times("worker dropped") + times("commit of a dropped worker");
  assert.ok(said(/^Reading 4 partitions/) > dropped);
  assert.ok(said(/^Another worker has committed/) >= times("commit of a dropped worker"));
  const broken = said(/^Waiting for PostgreSQL.*the connection broke before the (answer|commit)/);
  assert.ok(broken >= times("commit's answer lost") + times("commit lost"), `${broken}`);
  assert.ok(said(/^Waiting for PostgreSQL.*the connection to .* is lost/) > 0);
});

Deno.test("demo --chaos says what it has survived when it is stopped, too", async () => {
  await using program = await Program.start(["demo", "--chaos"], { env: { HTTP_PORT: "0" } });
  const [, url] = await program.printed(/Page on (http:[^ ]+\/),/);
  const status = async () => (await (await fetch(`${url}api/status`)).json()).demo.chaos;
  assert.deepEqual(await status(), { survived: 0, last: null, of: null });
  await program.printed(/Fault 2: /);
  const { last } = await status();
  assert.ok(program.stderr.includes(`: ${last}`), last);
  program.signal("SIGINT");
  assert.equal(await program.exitCode(), 0, program.stderr);
  assert.ok(
    linesOf(program).some(({ message }) =>
      /^[2-9] faults survived: every row agrees$/.test(message)
    ),
    program.stderr,
  );
});

/** What would happen if a sink did that to a commit, and nothing noticed. */
function stores(changed: (commit: Commit) => Commit): Harm {
  return {
    name: "wrong count",
    strike: async ({ commits }) => {
      await nextCommit(commits, ({ commit, store }) => store(changed(commit)));
      return "something was counted wrong";
    },
  };
}

const WRONG = [
  [
    "counts twice, consistently",
    stores((commit) => ({
      ...commit,
      events: commit.events * 2,
      counts: commit.counts.map((each) => ({ ...each, count: each.count * 2 })),
      partitions: commit.partitions.map((each) => ({ ...each, counted: each.counted * 2 })),
    })),
  ],
  [
    "moves an offset without its counts",
    stores((commit) => ({
      ...commit,
      events: 0,
      counts: [],
      partitions: commit.partitions.map((each) => ({ ...each, counted: 0 })),
    })),
  ],
  [
    "counts one event of a window for another lottery",
    stores((commit) => ({
      ...commit,
      counts: commit.counts.map((each, at) => at > 0 ? each : { ...each, lotteryName: "other" }),
    })),
  ],
] as const;

/** Resolves once the demo has ended by itself because of a difference. */
async function failsWith(harm: Harm, count: number | null): Promise<void> {
  const config = parseConfig({ HTTP_PORT: "0" });
  assert.ok("config" in config);
  const terminal = new Terminal({ screen: new FakeScreen({ isTerminal: false }) });
  const stop = new AbortController();
  const { signal } = stop;
  const waiting = setTimeout(() => stop.abort(), MAX_WAIT_MS);
  const chaos = { count, seed: 1, harms: [harm] };
  await assert.rejects(demo(config.config, { chaos, signal, terminal }), (error) => {
    assert.ok(error instanceof OperatorError);
    assert.match(error.message, /^\d faults?, and not every row agrees: Window .*: stored /);
    return true;
  });
  clearTimeout(waiting);
  assert.ok(!signal.aborted);
}

for (const [what, harm] of WRONG) {
  Deno.test(`demo --chaos finds a sink that ${what}, and fails`, async () => {
    await failsWith(harm, 2);
  });
}

Deno.test("demo --chaos ends as soon as a difference is found, also if it would go on for ever", async () => {
  await failsWith(WRONG[0][1], null);
});

Deno.test("demo --chaos fails if a fault has no effect", async () => {
  const config = parseConfig({ HTTP_PORT: "0" });
  assert.ok("config" in config);
  const terminal = new Terminal({ screen: new FakeScreen({ isTerminal: false }) });
  const { signal } = new AbortController();
  const harmless = { name: "nothing at all", strike: () => Promise.resolve(null) };
  const chaos = { count: 2, seed: 1, harms: [harmless] };
  await assert.rejects(
    demo(config.config, { chaos, signal, terminal }),
    /The fault "nothing at all" had no effect/,
  );
});

Deno.test("demo refuses arguments that do not go together", async () => {
  const cases: readonly (readonly [args: readonly string[], message: RegExp])[] = [
    [["--count", "3"], /--count requires --chaos/],
    [["--seed", "3"], /--seed requires --chaos/],
    [["--chaos", "--count", "0"], /It must be a whole number from 1/],
    [["--chaos", "--file", "-"], /'--chaos' cannot be used with option '--file <path>'/],
    [["--chaos", "--data-dir", "x"], /'--chaos' cannot be used with option '--data-dir/],
    [["--chaos", "--speed", "2"], /'--chaos' cannot be used with option '--speed/],
  ];
  for (const [args, message] of cases) {
    const { code, stderr } = await runProgram(["demo", ...args]);
    assert.equal(code, 2, stderr);
    assert.match(stderr, message);
  }
});

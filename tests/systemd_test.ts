/** systemd accepts the units that the README of the worker shows. */

import assert from "node:assert/strict";
import { join } from "node:path";
import { run, which } from "./support/guarded_process.ts";
import { serverTest } from "./support/servers.ts";

serverTest("systemd accepts the documented units, and finds worker and auditor confined", [
  "systemd-analyze",
], async () => {
  const readme = await Deno.readTextFile("lib/worker/README.md");
  const units = readme.matchAll(/^`\/etc\/systemd\/system\/([^`]+)`[^]*?```ini\n([^]*?)```/gm);
  const directory = await Deno.makeTempDir();
  try {
    const paths: string[] = [];
    for (const [, name, text] of units) {
      const path = join(directory, name!.replace("@.", "@1."));
      // The program is not installed on the machine that tests it.
      await Deno.writeTextFile(
        path,
        text!.replace(/^ExecStart=\S+/m, `ExecStart=${await which("env")}`),
      );
      paths.push(path);
    }
    assert.equal(paths.length, 3);
    await run("systemd-analyze", ["verify", "--man=no", ...paths]);
    // 0 is best, 10 worst; systemd calls it OK below 5.
    for (const path of paths.filter((path) => !path.includes("alert"))) {
      await run("systemd-analyze", ["security", "--offline=true", "--threshold=20", path]);
    }
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

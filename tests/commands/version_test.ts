import assert from "node:assert/strict";
import { VERSION } from "../../lib/io/version.ts";
import { runProgram } from "../support/worker_process.ts";

Deno.test("main prints its name and version, and needs no settings for it", async () => {
  assert.match(VERSION, /^\d+\.\d+\.\d+/);
  for (const flag of ["--version", "-V"]) {
    const { code, stdout, stderr } = await runProgram([flag], {
      env: { WINDOW_SECONDS: "wrong" },
      flags: ["--quiet", "--no-prompt", "-P=operate"],
    });
    assert.deepEqual([code, stdout, stderr], [0, `lottery-events-pipeline ${VERSION}\n`, ""]);
  }
});

Deno.test("main lists every command, and says where settings come from", async () => {
  const { code, stdout } = await runProgram(["--help"], {
    flags: ["--quiet", "--no-prompt", "-P=operate"],
  });
  assert.equal(code, 0);
  for (const name of ["start", "demo", "produce", "migrate", "doctor", "alert"]) {
    assert.match(stdout, new RegExp(`^  ${name} `, "m"));
  }
  for (const name of ["status", "audit", "dead-letters", "reset"]) {
    assert.match(stdout, new RegExp(`^  ${name} `, "m"));
  }
  assert.match(stdout, /\.env\.example/);
});

import assert from "node:assert/strict";
import { join } from "node:path";
import { makeLines } from "../../support/event_lines.ts";
import { Expectation } from "../../support/expectation.ts";
import { kcatProduce } from "../../support/kcat.ts";
import { serverTest } from "../../support/servers.ts";
import { openStack, type TestStack } from "../../support/stack.ts";
import { temporaryDirectory } from "../../support/temporary_directory.ts";
import { programEnv, ROOT, runProgram, taskFlags } from "../../support/worker_process.ts";

/** Exit code of the program and what it says, with its standard output piped or redirected by the shell. */
async function exitCode(
  command: string,
  output: string,
  { env }: Pick<TestStack, "env">,
): Promise<{ readonly code: number; readonly stderr: string }> {
  const run = [Deno.execPath(), "run", ...await taskFlags(command.split(" ")[0]!)];
  const program = `${run.join(" ")} ${join(ROOT, "main.ts")} ${command}; echo "exit $?" >&2`;
  const { stderr } = await new Deno.Command("sh", {
    args: ["-c", `(${program}) ${output}`],
    cwd: import.meta.dirname!,
    clearEnv: true,
    env: programEnv(env),
    stdout: "null",
  }).output();
  const text = new TextDecoder().decode(stderr);
  return { code: Number(text.match(/^exit (\d+)$/m)![1]), stderr: text };
}

serverTest(
  "audit and status that cannot print have no verdict, and those that nobody reads to the end have theirs",
  ["kafka", "postgres"],
  async () => {
    await using stack = await openStack();
    await kcatProduce(stack.topic, makeLines(1_000, new Expectation()));
    assert.equal((await runProgram(["start", "--once"], { env: stack.env })).code, 0);

    for (const command of ["audit", "audit --json", "status", "status --json"]) {
      const full = await exitCode(command, ">/dev/full", stack);
      assert.equal(full.code, 4, `${command}: ${full.stderr}`);
      assert.match(full.stderr, /No space left on device/);
      assert.equal((await exitCode(command, "| head -n 1", stack)).code, 0, command);
    }

    await stack.database.connection.query({
      text: "update lottery_aggregates set event_count = event_count + 1",
    });
    assert.equal((await exitCode("audit", "| head -n 1", stack)).code, 1);
  },
);

Deno.test("a failure that nothing awaits ends a command as any other does, and is no verdict", async () => {
  await using directory = await temporaryDirectory();
  const module = join(directory.path, "throws.ts");
  for (
    const thrown of [
      'queueMicrotask(() => { throw new Error("out of nowhere"); });',
      'Promise.reject(new Error("out of nowhere"));',
    ]
  ) {
    // As soon as the program listens.
    await Deno.writeTextFile(
      module,
      `const listen = addEventListener;
      globalThis.addEventListener = (type, listener) => {
        listen(type, listener);
        if (type === "unhandledrejection") setTimeout(() => { ${thrown} }, 0);
      };`,
    );
    for (const [command, code] of [["audit", 4], ["status", 4], ["start", 1]] as const) {
      const flags = [...await taskFlags(command), `--preload=${module}`];
      const ended = await runProgram([command], { flags });
      assert.equal(ended.code, code, ended.stderr);
      assert.match(ended.stderr, /out of nowhere[^]*throws\.ts/);
      for (const line of ended.stderr.trim().split("\n")) JSON.parse(line);
    }
  }
});

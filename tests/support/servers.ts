/**
 * Tests that need servers: where one is missing they are reported as ignored with
 * the reason, but in CI they fail.
 * @module
 */

import { which } from "./guarded_process.ts";
import { javaProblem, kafkaProblem } from "./kafka.ts";
import { initdbProblem, postgresProblem } from "./postgres.ts";

const PROBLEMS = {
  java: javaProblem,
  kafka: kafkaProblem,
  initdb: initdbProblem,
  postgres: postgresProblem,
  chromium: await programProblem("chromium"),
  psql: await programProblem("psql"),
  pgbouncer: await programProblem("pgbouncer"),
  prometheus: await programProblem("prometheus"),
  promtool: await programProblem("promtool"),
  hadolint: await programProblem("hadolint"),
  "check-jsonschema": await programProblem("check-jsonschema"),
  script: await scriptProblem(),
  "systemd-analyze": await programProblem("systemd-analyze"),
};

async function programProblem(program: string): Promise<string | null> {
  return await which(program) ? null : `${program} is missing`;
}

/** Other systems have a program of that name too, with other options. */
async function scriptProblem(): Promise<string | null> {
  const missing = await programProblem("script");
  if (missing) return missing;
  const { stdout } = await new Deno.Command("script", { args: ["--version"] }).output();
  return new TextDecoder().decode(stdout).includes("util-linux")
    ? null
    : "util-linux's script is missing";
}

export type Server = keyof typeof PROBLEMS;

/** Like `Deno.test`, for a test that needs these servers. */
export function serverTest(
  name: string,
  needs: readonly Server[],
  test: () => Promise<void>,
): void {
  const problems = needs.flatMap((server) => PROBLEMS[server] ?? []);
  const isInCi = Deno.env.get("CI") === "true";
  Deno.test({
    name: problems.length === 0 ? name : `${name} (needs: ${problems.join(", ")})`,
    ignore: problems.length > 0 && !isInCi,
    fn: test,
  });
}

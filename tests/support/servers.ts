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
  psql: await programProblem("psql"),
  prometheus: await programProblem("prometheus"),
  promtool: await programProblem("promtool"),
  hadolint: await programProblem("hadolint"),
  "check-jsonschema": await programProblem("check-jsonschema"),
  "systemd-analyze": await programProblem("systemd-analyze"),
};

async function programProblem(program: string): Promise<string | null> {
  return await which(program) ? null : `${program} is missing`;
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

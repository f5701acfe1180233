/**
 * Tests that need servers and other programs: where one is missing they are reported as ignored,
 * with what is missing, but in CI they fail.
 * @module
 */

import { which } from "./guarded_process.ts";
import { javaPrograms, kafkaPrograms } from "./kafka.ts";
import { findPgBouncer } from "./pgbouncer.ts";
import { fakeTime, findBinaries, initdbPrograms, postgresPrograms } from "./postgres.ts";

/** The programs that a test's need stands for. */
const NEEDS = {
  java: javaPrograms,
  kafka: kafkaPrograms,
  initdb: initdbPrograms,
  postgres: postgresPrograms,
  faketime: ["libfaketime"],
  pg_basebackup: ["pg_basebackup"],
  pgbouncer: ["pgbouncer"],
  chromium: ["chromium"],
  localedef: ["localedef"],
  openssl: ["openssl"],
  psql: ["psql"],
  prometheus: ["prometheus", "setsid"],
  promtool: ["promtool"],
  hadolint: ["hadolint"],
  "check-jsonschema": ["check-jsonschema"],
  script: ["script"],
  "systemd-analyze": ["systemd-analyze"],
} as const satisfies Readonly<Record<string, readonly string[]>>;

export type Server = keyof typeof NEEDS;

/** All of them. */
export const PROGRAMS: readonly string[] = [...new Set(Object.values(NEEDS).flat())];

const missing = new Set(
  (await Promise.all(
    PROGRAMS.map(async (program) => await isThere(program) ? [] : [program]),
  )).flat(),
);

async function isThere(program: string): Promise<boolean> {
  if (program === "initdb") return await findBinaries() !== null;
  if (program === "libfaketime") return fakeTime !== null;
  if (program === "pgbouncer") return await findPgBouncer() !== null;
  if (await which(program) === null) return false;
  if (program !== "script") return true;
  // Other systems have a program of that name too, with other options.
  const { stdout } = await new Deno.Command("script", { args: ["--version"] }).output();
  return new TextDecoder().decode(stdout).includes("util-linux");
}

/** Like `Deno.test`, for a test that needs these servers. */
export function serverTest(
  name: string,
  needs: readonly Server[],
  test: () => Promise<void>,
): void {
  const absent = [...new Set(needs.flatMap((need): readonly string[] => NEEDS[need]))]
    .filter((program) => missing.has(program));
  const isInCi = Deno.env.get("CI") === "true";
  Deno.test({
    name: absent.length === 0 ? name : `${name} (needs: ${absent.join(", ")})`,
    ignore: absent.length > 0 && !isInCi,
    fn: test,
  });
}

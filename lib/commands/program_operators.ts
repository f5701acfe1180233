/**
 * The commands for who operates the pipeline, with their arguments, help and examples.
 * @module
 */

import { type Command, InvalidArgumentError } from "commander";
import { isPassing, OperatorError } from "../core/failure.ts";
import { type OffsetSpec, parseOffsetSpec } from "../core/offsets/offset_spec.ts";
import { wholeNumber } from "./cli/arguments.ts";
import { ExitCodeError } from "./cli/exit_code.ts";
import { example } from "./cli/help.ts";
import type { Host } from "./cli/host.ts";
import type { ResetKind } from "./reset/reset.ts";

/** Exit codes of `audit` by its verdict; of `status` if there is something to do; of both if they have failed themselves. */
const AUDIT_EXIT_CODES = { "agrees": 0, "wrong": 1, "not provable": 3, "incomplete": 5 } as const;
const NEEDS_A_PERSON = 1;
const NO_VERDICT = 4;

export function addAudit(program: Command, host: Host): void {
  const { configured, terminal, print, failsWith } = host;
  program.command("audit")
    .description("recount the topic and compare every row, while workers run; changes nothing")
    .option("--json", "print the report as JSON")
    .option("--limit <rows>", "show so many differences of each kind", wholeNumber(0), 20)
    .addHelpText(
      "after",
      "\nExit codes: 0 everything agrees, 1 something is wrong, 2 wrong settings or arguments,\n" +
        "3 all that can be recounted agrees, but a part of what was counted is not in the log any more,\n" +
        "4 no verdict: Kafka or PostgreSQL cannot be read, or holds something else, or the report\n" +
        "cannot be printed.\n" +
        "5 what was counted agrees, but nobody counts a part of the topic.\n" +
        example("audit", "audit --json --limit 1000"),
    )
    .action(async ({ json, limit }: { json?: true; limit: number }) => {
      failsWith(NO_VERDICT);
      const config = await configured();
      const { audit } = await import("./audit/audit.ts");
      const { auditJson, auditLines } = await import("./audit/report.ts");
      const report = await audit(config, { terminal });
      const lines = json ? auditJson(report, limit).split("\n") : auditLines(report, limit);
      for (const line of lines) print(line);
      const exitCode = AUDIT_EXIT_CODES[report.verdict];
      if (exitCode !== 0) throw new ExitCodeError(exitCode);
    });
}

export function addStatus(program: Command, { configured, print, failsWith }: Host): void {
  program.command("status")
    .description("show offsets, lag, workers, closed windows and dead letters; changes nothing")
    .option("--json", "print it as JSON")
    .addHelpText(
      "after",
      "\nExit codes: 0 all is well; 1 something needs a person: records wait and no worker runs, nobody\n" +
        "counts a partition, nothing was committed for a minute, Kafka has deleted what was not counted,\n" +
        "the settings are not those of the counts, the output topic is missing, or a system is away;\n" +
        "2 wrong settings or arguments; 4 nothing is known: status itself has failed.\n" +
        example("status", "status --json"),
    )
    .action(async ({ json }: { json?: true }) => {
      failsWith(NO_VERDICT);
      const config = await configured();
      const { status } = await import("./status/status.ts");
      const { statusJson, statusLines } = await import("./status/report.ts");
      const report = await status(config).catch((error) => {
        // That it is away, or refuses us, is what was asked for.
        if (!isPassing(error) && !(error instanceof OperatorError)) throw error;
        throw new ExitCodeError(NEEDS_A_PERSON, { cause: error });
      });
      const lines = json ? statusJson(report).split("\n") : statusLines(report);
      for (const line of lines) print(line);
      if (report.problems.length > 0) throw new ExitCodeError(NEEDS_A_PERSON);
    });
}

export function addReset(program: Command, { configured, terminal, print }: Host): void {
  program.command("reset")
    .description("begin anew: says what it will do, and asks; stop all workers first")
    .option("--recount", "delete everything counted, and count the topic anew from its start")
    .option("--log", "keep the counts, and go on in a new topic or cluster: with --to")
    .option("--settings", "keep everything, and take over changed settings from now on")
    .option(
      "--to <place>",
      "start, end, a time, or offsets: 0:120,1:98 or those of a Spark checkpoint",
      resetTarget,
    )
    .option("--force <rows>", "recount although Kafka has deleted records of them", wholeNumber(0))
    .option("--yes", "do not ask")
    .addHelpText(
      "after",
      example("reset --recount", "reset --log --to 2026-01-31T12:00:00Z", "reset --settings --yes"),
    )
    .action(async (given: ResetArguments, command: Command) => {
      const kind = resetKind(given);
      if (typeof kind === "string") command.error(`error: ${kind}`);
      const config = await configured();
      const { reset } = await import("./reset/reset.ts");
      await reset(config, {
        reset: kind,
        print,
        confirm: () => given.yes ? true : terminal.confirm("Do it?"),
      });
      print("Done. The next worker that starts goes on from here.");
    });
}

interface ResetArguments {
  readonly recount?: true;
  readonly log?: true;
  readonly settings?: true;
  readonly to?: OffsetSpec;
  readonly force?: number;
  readonly yes?: true;
}

/** What is to be reset, or why that cannot be told. */
function resetKind({ recount, log, settings, to, force }: ResetArguments): ResetKind | string {
  if ([recount, log, settings].filter((each) => each).length !== 1) {
    return "one of --recount, --log and --settings is needed";
  }
  if ((to !== undefined) !== (log === true)) return "--log needs --to, and only it does";
  if (force !== undefined && !recount) return "--force is for --recount";
  if (recount) return { kind: "recount", force };
  return to ? { kind: "log", target: to } : { kind: "settings" };
}

function resetTarget(text: string): OffsetSpec {
  try {
    return parseOffsetSpec(text);
  } catch (error) {
    throw new InvalidArgumentError((error as Error).message);
  }
}

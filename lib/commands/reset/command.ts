/**
 * `reset` on the command line.
 * @module
 */

import type { Command } from "commander";
import { type OffsetSpec, parseOffsetSpec } from "../../core/offsets/offset_spec.ts";
import { parsedBy, wholeNumber } from "../cli/arguments.ts";
import { example } from "../cli/help.ts";
import type { Host } from "../cli/host.ts";
import type { ResetRequest } from "./plan.ts";

interface ResetArguments {
  readonly recount?: true;
  readonly log?: true;
  readonly settings?: true;
  readonly to?: OffsetSpec;
  readonly force?: number;
  readonly yes?: true;
}

export function addReset(program: Command, { configured, terminal, print }: Host): void {
  program.command("reset")
    .description("recount from the start, continue in another log, or adopt changed settings")
    .option("--recount", "delete everything counted, and count the topic again from its start")
    .option("--log", "keep the counts, and continue in a new topic or cluster, from --to")
    .option("--settings", "keep everything, and apply changed settings from now on")
    .option(
      "--to <place>",
      "start, end, a time, or offsets: 0:120,1:98 or those of a Spark checkpoint",
      parsedBy(parseOffsetSpec),
    )
    .option(
      "--force <events>",
      "recount even though Kafka has deleted records; confirms the number of events to delete",
      wholeNumber(0),
    )
    .option("--yes", "do not ask")
    .addHelpText(
      "after",
      "\nShows what it will do, and asks for confirmation. Stop all workers first: it refuses to run beside one.",
    )
    .addHelpText(
      "after",
      example("reset --recount", "reset --log --to 2026-01-31T12:00:00Z", "reset --settings --yes"),
    )
    .action(async (given: ResetArguments, command: Command) => {
      const request = requestOf(given);
      if (typeof request === "string") command.error(`error: ${request}`);
      const config = await configured();
      const { reset } = await import("./reset.ts");
      await reset(config, {
        request,
        print,
        confirm: () => given.yes ? true : terminal.confirm("Continue?"),
      });
      print("Done. The next worker to start continues from here.");
    });
}

/** What is to be reset, or why the arguments do not say it. */
function requestOf({ recount, log, settings, to, force }: ResetArguments): ResetRequest | string {
  if ([recount, log, settings].filter((each) => each).length !== 1) {
    return "exactly one of --recount, --log and --settings is required";
  }
  if ((to !== undefined) !== (log === true)) return "--log requires --to, and only --log takes it";
  if (force !== undefined && !recount) return "--force requires --recount";
  if (recount) return { kind: "recount", force };
  return to ? { kind: "log", target: to } : { kind: "settings" };
}

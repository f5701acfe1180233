/**
 * All commands in one program.
 * @module
 */

import { Command } from "commander";
import { printableLines } from "../core/text/printable.ts";
import { VERSION } from "../io/version.ts";
import { addAlert } from "./alert/command.ts";
import { addAudit } from "./audit/command.ts";
import type { Host } from "./cli/host.ts";
import { addDeadLetters } from "./dead_letters/command.ts";
import { addDemo } from "./demo/command.ts";
import { addDoctor } from "./doctor/command.ts";
import { addMigrate } from "./migrate/command.ts";
import { addProduce } from "./produce/command.ts";
import { addReset } from "./reset/command.ts";
import { addStart } from "./start/command.ts";
import { addStatus } from "./status/command.ts";

const NAME = "lottery-events-pipeline";

const HELP = `
Settings are environment variables, or lines of .env in the current directory; .env.example
describes them all. Exit codes: 0 done, 1 failed: an operator has to act, 2 wrong settings or
arguments; the help of audit and status lists more.`;

const COMMANDS = [
  addStart,
  addDemo,
  addProduce,
  addMigrate,
  addDoctor,
  addAlert,
  addStatus,
  addAudit,
  addDeadLetters,
  addReset,
];

/** The program, which runs the command that its arguments name. */
export function createProgram(host: Host): Command {
  const program = new Command(NAME)
    .description("Counts lottery events from Kafka into PostgreSQL, per minute, exactly once.")
    .version(`${NAME} ${VERSION}`)
    .addHelpText("after", HELP)
    .exitOverride()
    .configureOutput({
      writeErr: (text) => {
        for (const line of printableLines(text.trimEnd())) host.terminal.writeLine(line);
      },
    })
    .showHelpAfterError("(run it with --help for usage)");
  for (const add of COMMANDS) add(program, host);
  return program;
}

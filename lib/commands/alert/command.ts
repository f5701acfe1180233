/**
 * `alert` on the command line.
 * @module
 */

import type { Command } from "commander";
import { log } from "../../io/logs.ts";
import { example } from "../cli/help.ts";
import type { Host } from "../cli/host.ts";

export function addAlert(program: Command, { configured }: Host): void {
  program.command("alert")
    .description("mail a message to the operators, for a supervisor's failure hook")
    .argument("<text>", "message to send")
    .addHelpText(
      "after",
      "\nThe mail goes to the addresses in ALERT_TO, through the server in SMTP_HOST.",
    )
    .addHelpText("after", example('alert "the worker on host a has failed"'))
    .action(async (text: string) => {
      const config = await configured();
      const { alert } = await import("./alert.ts");
      const answer = await alert(config, text);
      log.info("Sent to {to} through {host}; the mail server answered: {answer}", {
        to: config.smtp?.to,
        host: config.smtp?.host,
        answer,
      });
    });
}

/**
 * `doctor` on the command line.
 * @module
 */

import type { Command } from "commander";
import { OperatorError } from "../../core/failure.ts";
import { example } from "../cli/help.ts";
import type { Host } from "../cli/host.ts";

export function addDoctor(program: Command, { configured, settingsOrigin, print }: Host): void {
  program.command("doctor")
    .description("check the settings, Kafka, the topic, PostgreSQL and the mail server")
    .option("--mail", "also send a test mail")
    .addHelpText("after", "\nChanges nothing. Exits with 1 if a check fails.")
    .addHelpText("after", example("doctor", "doctor --mail"))
    .action(async ({ mail }: { mail?: true }) => {
      const config = await configured();
      const { doctor } = await import("./doctor.ts");
      print(`ok    Settings: ${settingsOrigin()}`);
      let problems = 0;
      for await (const { subject, isGood, text } of doctor(config, { sendsMail: mail ?? false })) {
        print(`${isGood ? "ok  " : "FAIL"}  ${subject}: ${text}`);
        if (!isGood) problems++;
      }
      if (problems === 0) return;
      throw new OperatorError(
        problems === 1 ? "1 problem needs attention." : `${problems} problems need attention.`,
      );
    });
}

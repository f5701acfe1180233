/**
 * `start` on the command line.
 * @module
 */

import type { Command } from "commander";
import { redacted } from "../../core/settings/database_url.ts";
import { topicPlace } from "../../core/settings/place.ts";
import { log } from "../../io/logs.ts";
import { VERSION } from "../../io/version.ts";
import { example } from "../cli/help.ts";
import type { Host } from "../cli/host.ts";
import { STOPPING_COUNT, unlessStopped } from "../cli/stopping.ts";

const HELP = `
Waits for Kafka, the topic and PostgreSQL, and creates missing tables. Start several workers to
share the partitions. SIGTERM or Ctrl-C commits what is counted and exits with 0.`;

export function addStart(program: Command, host: Host): void {
  const { configured, settingsOrigin, untilSignal, terminal } = host;
  program.command("start")
    .description("count the topic into the database until stopped")
    .option("--once", "stop at the current end of the topic; fail if a system is down")
    .addHelpText("after", HELP)
    .addHelpText("after", example("start", "start --once"))
    .action(async ({ once }: { once?: true }) => {
      const config = await configured();
      const signal = untilSignal(STOPPING_COUNT);
      log.info("Version {version}, counting {topic} into {database}. Settings: {settings}", {
        version: VERSION,
        topic: topicPlace(config.kafka),
        database: redacted(config.databaseUrl),
        settings: settingsOrigin(),
      });
      if (once) {
        const { startOnce } = await import("./start_once.ts");
        await startOnce(config, { signal, terminal });
      } else {
        const { start } = await import("./start.ts");
        await unlessStopped(start(config, { signal, terminal }), signal);
      }
    });
}

/**
 * `migrate` on the command line.
 * @module
 */

import { type Command, Option } from "commander";
import { example } from "../cli/help.ts";
import type { Host } from "../cli/host.ts";

export function addMigrate(program: Command, { configured, print }: Host): void {
  program.command("migrate")
    .description("create the tables or bring them up to date, as `start` does too")
    .option("--create-database", "create the database first if it does not exist")
    .addOption(
      new Option("--sql", "change nothing; print the SQL for the owner of the tables to run")
        .conflicts("createDatabase"),
    )
    .addHelpText("after", example("migrate --create-database", "migrate --sql > migration.sql"))
    .action(async ({ createDatabase, sql }: { createDatabase?: true; sql?: true }) => {
      const config = await configured();
      const { migrate, migrationSql } = await import("./migrate.ts");
      if (!sql) return await migrate(config, { createsDatabase: createDatabase ?? false });
      for (const line of (await migrationSql(config)).split("\n")) print(line);
    });
}

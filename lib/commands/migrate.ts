/**
 * `migrate`: brings the database to the schema that this version needs.
 * @module
 */

import type { Config } from "../core/config.ts";
import { redacted } from "../core/database_url.ts";
import { log } from "../io/logs.ts";
import { Connection } from "../io/postgres/connection.ts";
import { createDatabase, migrate as migrateDatabase } from "../io/postgres/migrate.ts";

/** How `migrate` was called. */
export interface MigrateOptions {
  /** Creates the database first, if it does not exist. */
  readonly createsDatabase: boolean;
}

/** @throws {OperatorError} if a person has to do something first. */
export async function migrate(
  { databaseUrl }: Config,
  { createsDatabase }: MigrateOptions,
): Promise<void> {
  const database = redacted(databaseUrl);
  if (createsDatabase && await createDatabase(databaseUrl)) {
    log.info("Created the database {database}", { database });
  }
  await using connection = new Connection(databaseUrl);
  const applied = await migrateDatabase(connection);
  log.info(
    applied.length === 0
      ? "The database {database} is up to date"
      : "The database {database} is up to date now",
    { database },
  );
}

/**
 * `migrate`: brings the database up to the schema that this version needs.
 * @module
 */

import type { Config } from "../../core/settings/config.ts";
import { redacted } from "../../core/settings/database_url.ts";
import { log } from "../../io/logs.ts";
import { createDatabase } from "../../io/postgres/schema/create_database.ts";
import { migrate as migrateDatabase, migrationScript } from "../../io/postgres/schema/migrate.ts";
import { Connection } from "../../io/postgres/session/connection.ts";
import { sqlStateOf } from "../../io/postgres/session/errors.ts";

export interface MigrateOptions {
  /** Creates the database first, if it does not exist. */
  readonly createsDatabase: boolean;
}

/** @throws {OperatorError} if an operator has to do something first. */
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
      : "Brought the database {database} up to date",
    { database },
  );
}

/** SQLSTATE of a database that does not exist. */
const NO_DATABASE = "3D000";

/** What `migrate` would run, for another role to run; all of it if the database does not exist yet. */
export async function migrationSql({ databaseUrl }: Config): Promise<string> {
  await using connection = new Connection(databaseUrl);
  try {
    return await migrationScript(connection);
  } catch (error) {
    if (sqlStateOf(error) !== NO_DATABASE) throw error;
    return await migrationScript(null);
  }
}

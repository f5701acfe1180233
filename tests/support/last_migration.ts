/**
 * A database that lacks the last migration, as one of the version before does.
 * @module
 */

import assert from "node:assert/strict";
import { functionNames, MIGRATIONS } from "../../lib/io/postgres/schema/migrations.ts";
import type { Connection } from "../../lib/io/postgres/session/connection.ts";

const LAST = MIGRATIONS.at(-1)!;

/** Functions that only the last migration makes. */
export const LAST_FUNCTIONS: readonly string[] = functionNames([LAST]);

/** As `migrate` names it, "0005 publishing". */
export const LAST_MIGRATION = `${String(LAST.version).padStart(4, "0")} ${LAST.name}`;

/** Takes back the last migration. */
export async function takeBackLastMigration(connection: Connection): Promise<void> {
  assert.doesNotMatch(LAST.sql, /^(create (?!function)|alter)/m, "it only makes functions");
  await connection.query({
    text: `
      drop function ${LAST_FUNCTIONS.join(", ")};
      delete from lottery_migrations where version = ${LAST.version}`,
  });
}

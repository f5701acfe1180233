/**
 * A database that lacks the last migration, as one of the version before does.
 * @module
 */

import assert from "node:assert/strict";
import { functionNames, MIGRATIONS } from "../../lib/io/postgres/schema/migrations.ts";
import type { Connection } from "../../lib/io/postgres/session/connection.ts";

const LAST = MIGRATIONS.at(-1)!;

/** Functions that the last migration makes, or replaces. */
export const LAST_FUNCTIONS: readonly string[] = functionNames([LAST]);

/** As `migrate` names it, "0005 publishing". */
export const LAST_MIGRATION = `${String(LAST.version).padStart(4, "0")} ${LAST.name}`;

/** Takes back the last migration. */
export async function takeBackLastMigration(connection: Connection): Promise<void> {
  assert.doesNotMatch(LAST.sql, /^(create (?!(or replace )?function)|alter)/m, "only functions");
  const before = LAST_FUNCTIONS.map(definitionBefore);
  await connection.query({
    text: `
      drop function ${LAST_FUNCTIONS.join(", ")};
      ${before.join("\n")}
      delete from lottery_migrations where version = ${LAST.version}`,
  });
}

/** How the migrations before the last one define a function; empty if none does. */
function definitionBefore(name: string): string {
  const definition = new RegExp(`^create (?:or replace )?function ${name}\\(.*?^\\$\\$;$`, "gms");
  const earlier = MIGRATIONS.slice(0, -1).map(({ sql }) => sql).join("\n");
  return earlier.match(definition)?.at(-1) ?? "";
}

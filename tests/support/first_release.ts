/**
 * A database as the first release, 0.1.0, has made it: without hours.
 * @module
 */

import { MIGRATIONS } from "../../lib/io/postgres/schema/migrations.ts";
import type { Connection } from "../../lib/io/postgres/session/connection.ts";

/** Migrations that 0.1.0 had. */
const FIRST_RELEASE = MIGRATIONS.filter(({ version }) => version <= 5);

/** Makes the tables in an empty database; `migrate()` brings them up to date. */
export async function migrateToFirstRelease(connection: Connection): Promise<void> {
  await connection.query({
    text: `
      create table lottery_migrations (
        version integer primary key,
        name text not null,
        release text not null,
        applied_at timestamptz not null default now()
      )`,
  });
  for (const { version, name, sql } of FIRST_RELEASE) {
    await connection.query({ text: sql });
    await connection.query({
      text: "insert into lottery_migrations (version, name, release) values ($1, $2, '0.1.0')",
      values: [version, name],
    });
  }
}

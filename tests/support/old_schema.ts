/**
 * A database as 0.1.0 left it: without hours.
 * @module
 */

import { MIGRATIONS } from "../../lib/io/postgres/schema/migrations.ts";
import type { Connection } from "../../lib/io/postgres/session/connection.ts";

/** Applies the migrations of 0.1.0, and notes them as it did. */
export async function applyOldMigrations(connection: Connection): Promise<void> {
  await connection.query({
    text: `
      create table lottery_migrations (
        version integer primary key,
        name text not null,
        release text not null,
        applied_at timestamptz not null default now()
      )`,
  });
  for (const { version, name, sql } of MIGRATIONS.filter(({ version }) => version <= 5)) {
    await connection.query({ text: sql });
    await connection.query({
      text: "insert into lottery_migrations (version, name, release) values ($1, $2, '0.1.0')",
      values: [version, name],
    });
  }
}

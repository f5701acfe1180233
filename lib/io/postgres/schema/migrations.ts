/**
 * The steps that the schema is made of.
 * @module
 */

import tables from "./migrations/0001_tables.sql" with { type: "text" };
import deadLetters from "./migrations/0002_dead_letters.sql" with { type: "text" };
import commit from "./migrations/0003_commit.sql" with { type: "text" };
import retention from "./migrations/0004_retention.sql" with { type: "text" };
import publishing from "./migrations/0005_publishing.sql" with { type: "text" };
import hours from "./migrations/0006_hours.sql" with { type: "text" };
import commitWithHours from "./migrations/0007_commit.sql" with { type: "text" };
import watch from "./migrations/0008_watch.sql" with { type: "text" };
import expected from "./migrations/0009_expected.sql" with { type: "text" };

export interface Migration {
  readonly version: number;
  readonly name: string;
  readonly sql: string;
}

/** In this order, and never changed once released (1 to 5 with 0.1.0, 6 and 7 with 0.2.0): a new one is added instead. */
export const MIGRATIONS: readonly Migration[] = [
  { version: 1, name: "tables", sql: tables },
  { version: 2, name: "dead letters", sql: deadLetters },
  { version: 3, name: "commit", sql: commit },
  { version: 4, name: "retention", sql: retention },
  { version: 5, name: "publishing", sql: publishing },
  { version: 6, name: "hours", sql: hours },
  { version: 7, name: "commit with hours", sql: commitWithHours },
  { version: 8, name: "watch", sql: watch },
  { version: 9, name: "expected", sql: expected },
];

/** Names of the functions that migrations create. */
export function functionNames(migrations: readonly Migration[] = MIGRATIONS): string[] {
  const created = /^create (?:or replace )?function (\w+)\(/gm;
  return [
    ...new Set(
      migrations.flatMap(({ sql }) => Array.from(sql.matchAll(created), ([, name]) => name!)),
    ),
  ];
}

/**
 * The steps that the schema is made of.
 * @module
 */

import tables from "./migrations/0001_tables.sql" with { type: "text" };
import commit from "./migrations/0002_commit.sql" with { type: "text" };
import alerts from "./migrations/0003_alerts.sql" with { type: "text" };
import offsetHistory from "./migrations/0004_offset_history.sql" with { type: "text" };
import replayAndRetention from "./migrations/0005_replay_and_retention.sql" with { type: "text" };
import output from "./migrations/0006_output.sql" with { type: "text" };
import thinHistory from "./migrations/0007_thin_history.sql" with { type: "text" };
import storage from "./migrations/0008_storage.sql" with { type: "text" };
import staging from "./migrations/0009_staging.sql" with { type: "text" };
import guards from "./migrations/0010_guards.sql" with { type: "text" };
import liveness from "./migrations/0011_liveness.sql" with { type: "text" };
import deadLetterContent from "./migrations/0012_dead_letter_content.sql" with { type: "text" };
import outputReview from "./migrations/0013_output_review.sql" with { type: "text" };

/** One step of the schema. */
export interface Migration {
  readonly version: number;
  readonly name: string;
  readonly sql: string;
}

/** In this order, and never changed once released: a new one is added instead. */
export const MIGRATIONS: readonly Migration[] = [
  { version: 1, name: "tables", sql: tables },
  { version: 2, name: "commit", sql: commit },
  { version: 3, name: "alerts", sql: alerts },
  { version: 4, name: "offset history", sql: offsetHistory },
  { version: 5, name: "replay and retention", sql: replayAndRetention },
  { version: 6, name: "output", sql: output },
  { version: 7, name: "thin history", sql: thinHistory },
  { version: 8, name: "storage", sql: storage },
  { version: 9, name: "staging", sql: staging },
  { version: 10, name: "guards", sql: guards },
  { version: 11, name: "liveness", sql: liveness },
  { version: 12, name: "dead letter content", sql: deadLetterContent },
  { version: 13, name: "output review", sql: outputReview },
];

/** Names of the functions that they create. */
export function functionNames(): string[] {
  const created = /^create (?:or replace )?function (\w+)\(/gm;
  return [
    ...new Set(
      MIGRATIONS.flatMap(({ sql }) => Array.from(sql.matchAll(created), ([, name]) => name!)),
    ),
  ];
}

/**
 * What a database was filled with, so that nothing else is added to it.
 * @module
 */

import { OperatorError } from "../../core/failure.ts";
import type { Connection } from "./connection.ts";

/** Everything that, with another value, would give other counts. */
export interface Identity {
  readonly clusterId: string;
  readonly topic: string;
  readonly groupId: string;
  readonly windowSeconds: number;
  readonly maxFutureSeconds: number;
  readonly eventRules: number;
}

/** How each part is stored, and what a person would change. */
const PARTS = [
  { part: "clusterId", column: "cluster_id", setting: "KAFKA_BROKERS (the cluster's id)" },
  { part: "topic", column: "topic", setting: "KAFKA_TOPIC" },
  { part: "groupId", column: "group_id", setting: "KAFKA_GROUP_ID" },
  { part: "windowSeconds", column: "window_seconds", setting: "WINDOW_SECONDS" },
  { part: "maxFutureSeconds", column: "max_future_seconds", setting: "MAX_FUTURE_SECONDS" },
  { part: "eventRules", column: "event_rules", setting: "the program's rules for events" },
] as const;

/**
 * Writes the identity into an empty database, or compares it with the one that is there.
 * @returns the pipeline's epoch.
 * @throws {OperatorError} naming each setting that differs.
 */
export async function claimPipeline(connection: Connection, identity: Identity): Promise<number> {
  const columns = PARTS.map(({ column }) => column);
  await connection.query({
    text: `
      insert into pipeline (${columns.join(", ")})
      values (${columns.map((_, at) => `$${at + 1}`).join(", ")})
      on conflict do nothing`,
    values: PARTS.map(({ part }) => identity[part]),
  });
  const [stored] = await connection.query<Record<string, string | number>>({
    text: "select * from pipeline",
  });
  if (!stored) throw new Error("Cannot read the pipeline row that was just written");

  const differences = PARTS
    .filter(({ part, column }) => stored[column] !== identity[part])
    .map(({ part, column, setting }) =>
      `${setting} is ${identity[part]}, but was ${stored[column]}`
    );
  if (differences.length > 0) {
    throw new OperatorError(
      `Cannot add to the counts in this database, which were made with other settings: ${
        differences.join("; ")
      }. Set them back, or set DATABASE_URL to another database.`,
    );
  }
  return Number(stored.epoch);
}

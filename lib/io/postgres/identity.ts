/**
 * The identity of the counts in a database, so that no others are added to them.
 * @module
 */

import { OperatorError } from "../../core/failure.ts";
import type { Origin } from "../../core/offsets/origin.ts";
import type { Config } from "../../core/settings/config.ts";
import { EVENT_RULES_VERSION } from "../../core/windowing/event.ts";
import type { Connection } from "./session/connection.ts";

/** Everything that, with another value, would give other counts. */
export interface Identity {
  readonly clusterId: string;
  readonly topic: string;
  readonly groupId: string;
  readonly windowSeconds: number;
  readonly maxFutureSeconds: number;
  readonly eventRules: number;
}

/** How each part is stored, and what an operator would change. */
const PARTS = [
  { part: "clusterId", column: "cluster_id", setting: null },
  { part: "topic", column: "topic", setting: "KAFKA_TOPIC" },
  { part: "groupId", column: "group_id", setting: "KAFKA_GROUP_ID" },
  { part: "windowSeconds", column: "window_seconds", setting: "WINDOW_SECONDS" },
  { part: "maxFutureSeconds", column: "max_future_seconds", setting: "MAX_FUTURE_SECONDS" },
  {
    part: "eventRules",
    column: "event_rules",
    setting: "the program's version of the rules for events",
  },
] as const;

/** What the counts in a database were made of, and who asks. */
export interface Claim {
  readonly identity: Identity;
  readonly origin: Origin;
}

/**
 * Writes the identity into an empty database, or compares it with the existing one.
 * @returns the pipeline's epoch.
 * @throws {OperatorError} naming each setting that differs.
 */
export async function claimPipeline(connection: Connection, claim: Claim): Promise<number> {
  const { identity } = claim;
  const columns = PARTS.map(({ column }) => column);
  await connection.query({
    text: `
      insert into pipeline (${columns.join(", ")})
      values (${columns.map((_, at) => `$${at + 1}`).join(", ")})
      on conflict do nothing`,
    values: PARTS.map(({ part }) => identity[part]),
  });
  const epoch = await comparePipeline(connection, claim);
  if (epoch === null) throw new Error("Cannot read the pipeline row that was just written");
  return epoch;
}

/**
 * Compares only.
 * @returns the pipeline's epoch, or null if nothing was counted into the database yet.
 * @throws {OperatorError} naming each setting that differs.
 */
export async function comparePipeline(
  connection: Connection,
  { identity, origin }: Claim,
): Promise<number | null> {
  const stored = await readPipeline(connection);
  if (!stored) return null;
  const differences = differencesOf(stored.identity, { identity, origin });
  if (differences.length > 0) {
    throw new OperatorError(
      `Cannot add to the counts in this database, which were made with other settings: ${
        differences.map(({ setting, is, was }) => `${setting} is ${is}, but was ${was}`).join("; ")
      }. ${remedyOf(differences)}, or ${origin.remedy}.`,
    );
  }
  return stored.epoch;
}

/** The identity of the counts in the database, and the epoch; null without counts. */
export async function readPipeline(
  connection: Connection,
): Promise<{ readonly identity: Identity; readonly epoch: number } | null> {
  const [row] = await connection.query<Record<string, string | number>>({
    text: "select * from pipeline",
  });
  if (!row) return null;
  const identity = Object.fromEntries(PARTS.map(({ part, column }) => [part, row[column]]));
  return { identity: identity as unknown as Identity, epoch: Number(row.epoch) };
}

function remedyOf(differences: readonly Difference[]): string {
  return differences.some(({ part }) => part === "eventRules")
    ? "Use the version of the program that made them"
    : "Set them back";
}

/** A part of an identity that differs, and what an operator calls it. */
export interface Difference {
  readonly part: keyof Identity;
  readonly setting: string;
  readonly is: string | number;
  readonly was: string | number;
}

export function differencesOf(stored: Identity, { identity, origin }: Claim): Difference[] {
  return PARTS.filter(({ part }) => stored[part] !== identity[part]).map(({ part, setting }) => ({
    part,
    setting: setting ?? origin.setting,
    is: identity[part],
    was: stored[part],
  }));
}

/** Gives the counts another identity, in the next epoch: no earlier worker can commit. */
export async function replaceIdentity(connection: Connection, identity: Identity): Promise<number> {
  const [row] = await connection.query<{ epoch: number }>({
    text: `
      update pipeline
      set ${PARTS.map(({ column }, at) => `${column} = $${at + 1}`).join(", ")}, epoch = epoch + 1
      returning epoch`,
    values: PARTS.map(({ part }) => identity[part]),
  });
  return row!.epoch;
}

/** What the settings make of the counts. */
export function claimOf(
  { kafka, windowMs, maxFutureMs }: Config,
  origin: Origin,
): Claim {
  return {
    origin,
    identity: {
      clusterId: origin.id,
      topic: kafka.topic,
      groupId: kafka.groupId,
      windowSeconds: windowMs / 1000,
      maxFutureSeconds: maxFutureMs / 1000,
      eventRules: EVENT_RULES_VERSION,
    },
  };
}

/**
 * Two workers' sinks on one PostgreSQL database.
 * @module
 */

import type { Origin } from "../../../lib/core/offsets/origin.ts";
import { claimPipeline, type Identity } from "../../../lib/io/postgres/identity.ts";
import { migrate } from "../../../lib/io/postgres/schema/migrate.ts";
import { Connection } from "../../../lib/io/postgres/session/connection.ts";
import { PostgresSink } from "../../../lib/io/postgres/sink.ts";
import type { SinkHarness } from "../../support/sink_contract.ts";

export const IDENTITY: Identity = {
  clusterId: "cluster",
  topic: "user-events",
  groupId: "lottery-aggregates",
  windowSeconds: 60,
  maxFutureSeconds: 300,
  eventRules: 1,
};

export const ORIGIN: Origin = {
  id: IDENTITY.clusterId,
  setting: "KAFKA_BROKERS",
  remedy: "set DATABASE_URL to another database",
};

export interface PostgresHarness extends SinkHarness {
  readonly connection: Connection;
  readonly first: PostgresSink;
  readonly second: PostgresSink;
}

/** A sink of `IDENTITY` on a connection. */
export function openSink(connection: Connection, epoch = 1): PostgresSink {
  return new PostgresSink(connection, {
    topic: IDENTITY.topic,
    epoch,
    maxFutureMs: 300_000,
    windowMs: 60_000,
    graceMs: 60_000,
  });
}

/** Migrates the database of `url` and opens the sinks; `release`, if there is one, is awaited at the end. */
export async function openPostgresHarness(
  url: string,
  release: () => Promise<void> = () => Promise.resolve(),
): Promise<PostgresHarness> {
  const connection = new Connection(url);
  await migrate(connection);
  const epoch = await claimPipeline(connection, { identity: IDENTITY, origin: ORIGIN });
  const connections = [new Connection(url), new Connection(url)] as const;
  const [first, second] = connections.map((each) => openSink(each, epoch)) as [
    PostgresSink,
    PostgresSink,
  ];
  return {
    connection,
    first,
    second,
    setHorizon: async (horizonMs) => {
      await connection.query({
        text: "update pipeline set aggregates_horizon = to_timestamp($1::bigint / 1000.0)",
        values: [horizonMs],
      });
    },
    stored: async () => {
      const counts = await connection.query<
        { window_start: Date; lottery_name: string; event_type: string; event_count: number }
      >({ text: "select * from lottery_aggregates" });
      const letters = await connection.query<
        { partition: number; kafka_offset: number; reason: string }
      >({ text: "select * from dead_letters" });
      return {
        counts: new Map(counts.map((row) => [
          JSON.stringify([row.window_start.getTime(), row.lottery_name, row.event_type]),
          row.event_count,
        ])),
        deadLetters: new Map(
          letters.map((row) => [`${row.partition}/${row.kafka_offset}`, row.reason]),
        ),
      };
    },
    [Symbol.asyncDispose]: async () => {
      for (const each of connections) await each[Symbol.asyncDispose]();
      await connection[Symbol.asyncDispose]();
      await release();
    },
  };
}

/**
 * Servers to measure with: a broker and a PostgreSQL that writes to the disk as in production.
 * @module
 */

import { kafkaBrokers } from "../support/kafka.ts";
import { createDatabase, Postgres, type TestDatabase } from "../support/postgres.ts";

export interface StandOptions {
  /** Fewer events and rounds. */
  readonly isQuick: boolean;
  /** Gets a CPU profile of each run of `start --once`. */
  readonly profileDirectory: string | undefined;
}

export interface Stand extends StandOptions {
  readonly brokers: string;
  createDatabase(): Promise<TestDatabase>;
}

export async function openStand(options: StandOptions): Promise<Stand> {
  const directory = await Deno.makeTempDir({ prefix: "lottery-events-bench-" });
  const postgres = await Postgres.start(directory, {
    settings: { fsync: "on", full_page_writes: "on" },
  });
  return {
    brokers: await kafkaBrokers(),
    createDatabase: () => createDatabase(postgres.url),
    ...options,
  };
}

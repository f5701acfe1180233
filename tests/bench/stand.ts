/**
 * Servers to measure with: a broker and a PostgreSQL that writes to the disk as in production.
 * @module
 */

import { join } from "node:path";
import { run } from "../support/guarded_process.ts";
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
  /** Restarts PostgreSQL with none of its data in memory: neither in its own nor in the system's. */
  restartCold(): Promise<void>;
}

/** `dd` tells the system that it needs the pages of a file no more, which are written first. */
const FORGET = `sync; find "$0" -type f -exec dd if={} iflag=nocache count=0 status=none \\;`;

export async function openStand(options: StandOptions): Promise<Stand> {
  const directory = await Deno.makeTempDir({ prefix: "lottery-events-bench-" });
  const postgres = await Postgres.start(directory, {
    settings: { fsync: "on", full_page_writes: "on" },
  });
  return {
    brokers: await kafkaBrokers(),
    createDatabase: () => createDatabase(postgres.url),
    restartCold: async () => {
      postgres.stop();
      await run("sh", ["-c", FORGET, join(directory, "data")]);
      await postgres.restart();
    },
    ...options,
  };
}

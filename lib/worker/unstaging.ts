/**
 * What a worker does so that the dead letters of a flood become rows: when it is over or has
 * lasted for long, and in half of the time, because counting goes before.
 * @module
 */

import { delay } from "../async/delay.ts";
import type { Connection } from "../io/postgres/session/connection.ts";
import { dueStaged, unstage } from "../io/postgres/staging.ts";
import { Maintenance } from "./maintenance.ts";

const INTERVAL_MS = 2_000;

/** @param looks where it is looked whether there is something to do. */
export function unstaging(connection: Connection, looks: Connection): Maintenance {
  return new Maintenance({
    name: "make rows of staged dead letters",
    intervalMs: INTERVAL_MS,
    connection,
    async work(connection, signal) {
      for (const staged of await dueStaged(looks)) {
        if (signal.aborted) return;
        const startedAt = performance.now();
        await unstage(connection, staged);
        await delay(performance.now() - startedAt, signal);
      }
    },
  });
}

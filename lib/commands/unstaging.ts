/**
 * What a worker does so that the dead letters of a flood become rows: when it is over or has
 * lasted for long, and in half of the time, because counting goes before.
 * @module
 */

import { pause } from "../condition.ts";
import type { Connection } from "../io/postgres/connection.ts";
import { unstageDeadLetters } from "../io/postgres/staging.ts";
import { Chore } from "./chore.ts";

const INTERVAL_MS = 2_000;
const MAX_AGE_SECONDS = 60;

export function unstaging(connection: Connection): Chore {
  return new Chore({
    name: "make rows of staged dead letters",
    intervalMs: INTERVAL_MS,
    connection,
    async work(connection, signal) {
      while (!signal.aborted) {
        const startedAt = performance.now();
        const { left } = await unstageDeadLetters(connection, MAX_AGE_SECONDS);
        if (left === 0) return;
        await pause(performance.now() - startedAt, signal);
      }
    },
  });
}

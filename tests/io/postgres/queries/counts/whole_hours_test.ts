import assert from "node:assert/strict";
import { readCounts } from "../../../../../lib/io/postgres/queries/counts/counts.ts";
import { storeCounts } from "../../../../support/counted.ts";
import { createDatabase } from "../../../../support/postgres.ts";
import { serverTest } from "../../../../support/servers.ts";
import { openPostgresHarness } from "../../harness.ts";

const NOON_MS = Date.UTC(2026, 0, 1, 12);

serverTest(
  "windows of whole hours are read as long as their hours are kept",
  ["postgres"],
  async () => {
    for (const hours of [1, 3, 24]) {
      await using database = await createDatabase();
      await using harness = await openPostgresHarness(
        database.url,
        async () => await database[Symbol.asyncDispose](),
      );
      const { connection } = harness;
      const stepSeconds = hours * 3600;
      const startMs = NOON_MS - NOON_MS % (stepSeconds * 1000);
      await connection.query({ text: `update pipeline set window_seconds = ${stepSeconds}` });
      await storeCounts(
        connection,
        [0, 1, 2].map((n) => ({
          windowStartMs: startMs + n * stepSeconds * 1000,
          lotteryName: "a",
          eventType: "pay",
          count: 1,
        })),
      );
      const read = async (eventTypes: readonly string[] = []) => {
        const { rows, keptFromMs } = await readCounts(connection, {
          fromMs: startMs,
          toMs: startMs + 3 * stepSeconds * 1000,
          stepSeconds,
          zone: "Asia/Kolkata",
          lotteryNames: [],
          eventTypes,
          after: null,
          limit: 100,
        });
        const windows = rows.map((row) => {
          assert.equal(row.endMs - row.startMs, stepSeconds * 1000);
          return (row.startMs - startMs) / (stepSeconds * 1000);
        });
        return { windows, keptFromMs };
      };
      const whole = { windows: [0, 1, 2], keptFromMs: null };
      assert.deepEqual(await read(), whole);
      await connection.query({
        text: "delete from lottery_aggregates where window_start < $1",
        values: [new Date(startMs + 2 * stepSeconds * 1000)],
      });
      await connection.query({
        text: "update pipeline set aggregates_horizon = $1",
        values: [new Date(startMs + 2 * stepSeconds * 1000)],
      });
      assert.deepEqual(await read(), whole);
      assert.deepEqual(await read(["pay"]), whole);
    }
  },
);

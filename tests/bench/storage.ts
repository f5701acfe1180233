/**
 * What four commits a second leave behind in PostgreSQL over an hour: how many updates stay within
 * their page (HOT: no index entry, nothing for vacuum), how large the table gets, and how often it is vacuumed.
 * With the table's settings as migrated, beside PostgreSQL's own.
 * @module
 */

import { openPostgresHarness, type PostgresHarness } from "../io/postgres/harness.ts";
import { commitOf } from "../support/sink_contract.ts";
import type { Finding } from "./report.ts";
import type { Stand } from "./stand.ts";

const MINUTE_MS = 60_000;
const START_MS = Date.UTC(2025, 0, 1);
const COMMITS_PER_MINUTE = 240;
const LOTTERIES = 20;
const TYPES = ["clicked", "register", "pay"];

export async function* storage(stand: Stand): AsyncGenerator<Finding> {
  const minutes = stand.isQuick ? 5 : 60;
  for (const settings of ["migrated", "default"] as const) {
    await using database = await stand.createDatabase();
    await using harness = await openPostgresHarness(database.url, () => Promise.resolve());
    const { connection } = harness;
    if (settings === "default") {
      await connection.query({ text: "alter table lottery_aggregates reset (fillfactor)" });
    }
    await count(harness, minutes);
    await connection.query({ text: "select pg_stat_force_next_flush()" });
    const [row] = await connection.query<{ updates: number; hot: number; kilobytes: number }>({
      text: `
        select
          n_tup_upd as updates,
          n_tup_hot_upd as hot,
          pg_total_relation_size(relid) / 1024 as kilobytes
        from pg_stat_user_tables
        where relname = 'lottery_aggregates'`,
    });
    const { updates, hot, kilobytes } = row!;
    const startedAt = performance.now();
    await connection.query({ text: "vacuum lottery_aggregates" });
    const vacuumMs = performance.now() - startedAt;
    yield {
      what: `${minutes} minutes of commits, ${settings} fillfactor`,
      measured: `${(100 * hot / updates).toFixed(1)} % HOT`,
      beside: `${updates} updates of ${minutes * LOTTERIES * TYPES.length} rows; ` +
        `${kilobytes} kB before a vacuum of ${Math.round(vacuumMs)} ms`,
      ...(settings === "migrated" && { goal: "> 90 %", isReached: hot / updates > 0.9 }),
    };
  }
}

/** Commits as a worker does: all names in each commit, in the minute that is open; a fiftieth of them late. */
async function count({ first }: PostgresHarness, minutes: number): Promise<void> {
  await first.positions(new Map([[0, 0]]));
  const names = Array.from({ length: LOTTERIES }, (_, n) => `lottery_${n}`).flatMap((lotteryName) =>
    TYPES.map((eventType) => ({ lotteryName, eventType }))
  );
  for (let n = 0; n < minutes * COMMITS_PER_MINUTE; n++) {
    const minute = Math.floor(n / COMMITS_PER_MINUTE);
    const windowStartMs = START_MS + (n % 50 === 49 ? Math.max(0, minute - 5) : minute) * MINUTE_MS;
    const counts = names.map((name) => ({ ...name, windowStartMs, count: 1 }));
    const [from, to] = [n * counts.length, (n + 1) * counts.length];
    await first.commit(commitOf([[0, from, to]], { counts, events: counts.length }));
  }
}

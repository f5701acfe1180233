/**
 * What four commits a second leave behind in PostgreSQL over an hour: how many updates stay within
 * their page (HOT: no index entry, nothing for vacuum), how large the table gets, and how often it is vacuumed.
 * With the table's settings as migrated, beside full pages, which are PostgreSQL's own way. The same
 * of the hours, whose rows are updated for sixty times as long.
 * @module
 */

import type { Connection } from "../../lib/io/postgres/session/connection.ts";
import { openPostgresHarness, type PostgresHarness } from "../io/postgres/harness.ts";
import { eventually } from "../support/eventually.ts";
import { commitOf } from "../support/sink_contract.ts";
import type { Finding } from "./report.ts";
import type { Stand } from "./stand.ts";

const MINUTE_MS = 60_000;
const START_MS = Date.UTC(2025, 0, 1);
const COMMITS_PER_MINUTE = 240;

/** An hour of the usual number of names, and a few minutes of many. */
function loads({ isQuick }: Stand): readonly Load[] {
  return isQuick
    ? [{ names: 60, minutes: 2 }, { names: 3_000, minutes: 0.25 }]
    : [{ names: 60, minutes: 60 }, { names: 3_000, minutes: 5 }];
}

interface Load {
  readonly names: number;
  readonly minutes: number;
}

export async function* storage(stand: Stand): AsyncGenerator<Finding> {
  for (const load of loads(stand)) {
    const migrated = await measure(stand, load, "");
    const full = await measure(
      stand,
      load,
      "alter table lottery_aggregates set (fillfactor = 100)",
    );
    yield {
      what: `${load.names} names, ${load.minutes} minutes of commits`,
      measured: `${percent(migrated.hotShare)} HOT, of the hours ${
        percent(migrated.hoursHotShare)
      }`,
      beside: `${migrated.description}; with full pages ${percent(full.hotShare)} HOT, ` +
        full.description,
      goal: "> 90 %",
      isReached: Math.min(migrated.hotShare, migrated.hoursHotShare) > 0.9,
    };
  }
}

interface Left {
  readonly hotShare: number;
  readonly hoursHotShare: number;
  /** Of lottery_aggregates. */
  readonly description: string;
}

async function measure(stand: Stand, load: Load, settings: string): Promise<Left> {
  await using database = await stand.createDatabase();
  const { connection } = database;
  {
    await using harness = await openPostgresHarness(database.url);
    await connection.query({ text: settings });
    await count(harness, load);
  }
  const hours = await updatesOf(connection, "lottery_hours");
  const { updates, hot, kilobytes } = await updatesOf(connection, "lottery_aggregates");
  const startedAt = performance.now();
  await connection.query({ text: "vacuum lottery_aggregates" });
  const vacuumMs = Math.round(performance.now() - startedAt);
  return {
    hotShare: hot / updates,
    hoursHotShare: hours.hot / hours.updates,
    description: `${kilobytes} kB, vacuum ${vacuumMs} ms`,
  };
}

/** What was updated in a table, and how large that is. */
async function updatesOf(
  connection: Connection,
  table: string,
): Promise<{ readonly updates: number; readonly hot: number; readonly kilobytes: number }> {
  // A session tells its numbers when it ends, if not before.
  return await eventually(async () => {
    const [row] = await connection.query<{ updates: number; hot: number; kilobytes: number }>({
      text: `
        select
          n_tup_upd as updates,
          n_tup_hot_upd as hot,
          pg_total_relation_size(relid) / 1024 as kilobytes
        from pg_stat_user_tables
        where relname = $1`,
      values: [table],
    });
    return row!.updates > 0 && row!;
  });
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

/** Commits as a worker does: all names in each commit, in the minute that is open; a fiftieth of them late. */
async function count({ first }: PostgresHarness, { names, minutes }: Load): Promise<void> {
  await first.positions(new Map([[0, 0]]));
  const types = ["clicked", "register", "pay"];
  const all = Array.from({ length: names }, (_, n) => ({
    lotteryName: `lottery_${Math.floor(n / types.length)}`,
    eventType: types[n % types.length]!,
  }));
  for (let n = 0; n < minutes * COMMITS_PER_MINUTE; n++) {
    const minute = Math.floor(n / COMMITS_PER_MINUTE);
    const windowStartMs = START_MS + (n % 50 === 49 ? Math.max(0, minute - 5) : minute) * MINUTE_MS;
    const counts = all.map((name) => ({ ...name, windowStartMs, count: 1 }));
    const [from, to] = [n * counts.length, (n + 1) * counts.length];
    await first.commit(commitOf([[0, from, to]], { counts, events: counts.length }));
  }
}

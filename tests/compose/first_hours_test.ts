/** What Lotto24 says while there is little to compare with, and of minutes without events. */

import assert from "node:assert/strict";
import type { Connection } from "../../lib/io/postgres/connection.ts";
import { migrate } from "../../lib/io/postgres/migrate.ts";
import { expandSql, query, readDashboard } from "../support/grafana.ts";
import { createDatabase } from "../support/postgres.ts";
import { serverTest } from "../support/servers.ts";

const MINUTE_MS = 60_000;
const NOW_MS = Date.UTC(2026, 0, 31, 12);

const { panels, templating } = await readDashboard("lotto24");

/** Runs of minutes, in minutes before now, that have ten events each. */
type Minutes = readonly (readonly [from: number, to: number])[];

/** As the README has one sent: years before all others. */
const LONG_AGO: Minutes[number] = [1_600_000, 1_599_999];

async function count(connection: Connection, minutes: Minutes): Promise<void> {
  await connection.query({
    text: `insert into pipeline (
        cluster_id, topic, group_id, window_seconds, max_future_seconds, event_rules, watermark
      ) values ('cluster', 'user-events', 'group', 60, 300, 1, $1)`,
    values: [minutes.length > 0 ? new Date(NOW_MS) : null],
  });
  for (const [from, to] of minutes) {
    await connection.query({
      text: `insert into lottery_aggregates (
          window_start, window_end, lottery_name, event_type, event_count
        )
        select at, at + interval '1 minute', 'mega_draw', 'clicked', 10
        from generate_series(
          $1::timestamptz, $2::timestamptz - interval '1 minute', interval '1 minute'
        ) as at`,
      values: [from, to].map((before) => new Date(NOW_MS - before * MINUTE_MS)),
    });
  }
}

/** What the panel says of the last hour, or null. */
async function shown(title: string, minutes: Minutes): Promise<unknown> {
  await using database = await createDatabase();
  await migrate(database.connection);
  await count(database.connection, minutes);
  const sql = panels.find((panel) => panel.title === title)!.targets[0]!.rawSql!;
  const context = {
    fromMs: NOW_MS - 60 * MINUTE_MS,
    toMs: NOW_MS,
    intervalMs: MINUTE_MS,
    chosen: {},
    variables: templating.list,
  };
  const { columns: [column], rows } = await query(database.url, expandSql(sql, context));
  assert.equal(rows.length, 1);
  return rows[0]![column!.name];
}

const COMPARED: Readonly<Record<string, { readonly minutes: Minutes; readonly change: unknown }>> =
  {
    "nothing was counted": { minutes: [], change: null },
    "events began to come in the hour before": { minutes: [[70, 0]], change: null },
    "so they did, after one of long ago": { minutes: [LONG_AGO, [70, 0]], change: null },
    "there are two whole hours": { minutes: [[120, 0]], change: 0 },
    "half of the last hour is missing": { minutes: [[120, 30]], change: -0.5 },
  };

serverTest(
  "the last hour is compared with the one before only if that is a whole one",
  ["postgres"],
  async () => {
    for (const [name, { minutes, change }] of Object.entries(COMPARED)) {
      assert.equal(await shown("Last hour against the one before", minutes), change, name);
    }
  },
);

const MISSING: Readonly<Record<string, { readonly minutes: Minutes; readonly missing: number }>> = {
  "nothing was counted": { minutes: [], missing: 0 },
  "events began to come in this hour": { minutes: [[20, 0]], missing: 0 },
  "so they did, and one of long ago came later": { minutes: [LONG_AGO, [20, 0]], missing: 0 },
  "nothing happened for five minutes": { minutes: [[90, 30], [25, 0]], missing: 5 },
  "nothing happened since before this hour": { minutes: [[90, 75]], missing: 59 },
};

serverTest("minutes without any event are those after events have begun to come", [
  "postgres",
], async () => {
  for (const [name, { minutes, missing }] of Object.entries(MISSING)) {
    assert.equal(Number(await shown("Minutes without any event", minutes)), missing, name);
  }
});

/** The figures of Lotto24 for known counts. */

import assert from "node:assert/strict";
import { migrate } from "../../lib/io/postgres/schema/migrate.ts";
import type { Connection } from "../../lib/io/postgres/session/connection.ts";
import { expandSql, query, readDashboard } from "../support/grafana.ts";
import { createDatabase } from "../support/postgres.ts";
import { serverTest } from "../support/servers.ts";

const MINUTE_MS = 60_000;
const NOW_MS = Date.UTC(2026, 0, 31, 12);

const { panels, templating } = await readDashboard("lotto24");

/** The same count in each minute from `from` to `to`, which are minutes before now. */
interface Run {
  readonly from: number;
  readonly to?: number;
  readonly lottery?: string;
  readonly type?: string;
  readonly count?: number;
}

/** An event as the README has one sent: years before all others. */
const LONG_AGO: Run = { from: 1_600_000, to: 1_599_999 };

async function count(connection: Connection, runs: readonly Run[]): Promise<void> {
  await connection.query({
    text: `insert into pipeline (
        cluster_id, topic, group_id, window_seconds, max_future_seconds, event_rules, watermark
      ) values ('cluster', 'user-events', 'group', 60, 300, 1, $1)`,
    values: [runs.length > 0 ? new Date(NOW_MS) : null],
  });
  for (const { from, to = 0, lottery = "mega_draw", type = "clicked", count = 10 } of runs) {
    await connection.query({
      text: `insert into lottery_aggregates (
          window_start, window_end, lottery_name, event_type, event_count
        )
        select at, at + interval '1 minute', $3, $4, $5
        from generate_series(
          $1::timestamptz, $2::timestamptz - interval '1 minute', interval '1 minute'
        ) as at`,
      values: [
        ...[from, to].map((before) => new Date(NOW_MS - before * MINUTE_MS)),
        ...[lottery, type, count],
      ],
    });
  }
}

/** Rows that the panel draws of the last hour. */
async function rowsOf(title: string, runs: readonly Run[]): Promise<Record<string, unknown>[]> {
  await using database = await createDatabase();
  await migrate(database.connection);
  await count(database.connection, runs);
  const sql = panels.find((panel) => panel.title === title)!.targets[0]!.rawSql!;
  const context = {
    fromMs: NOW_MS - 60 * MINUTE_MS,
    toMs: NOW_MS,
    intervalMs: MINUTE_MS,
    chosen: {},
    variables: templating.list,
  };
  const { rows } = await query(database.url, expandSql(sql, context));
  return [...rows];
}

/** The one value of a stat. */
async function valueOf(title: string, runs: readonly Run[]): Promise<unknown> {
  const [row, ...others] = await rowsOf(title, runs);
  const [value, ...more] = Object.values(row!);
  assert.deepEqual([others, more], [[], []]);
  return value;
}

/** Sum of each line of a time series. */
async function sumsOf(title: string, runs: readonly Run[]): Promise<Record<string, number>> {
  const sums: Record<string, number> = {};
  for (const { metric, value } of await rowsOf(title, runs)) {
    sums[metric as string] = (sums[metric as string] ?? 0) + (value as number);
  }
  return sums;
}

const COMPARED: Readonly<
  Record<string, { readonly runs: readonly Run[]; readonly change: unknown }>
> = {
  "nothing was counted": { runs: [], change: null },
  "events began in the hour before": { runs: [{ from: 70 }], change: null },
  "so they did, after one of long ago": { runs: [LONG_AGO, { from: 70 }], change: null },
  "there are two whole hours": { runs: [{ from: 120 }], change: 0 },
  "half of the last hour is missing": { runs: [{ from: 120, to: 30 }], change: -0.5 },
};

serverTest(
  "the last hour is compared with the one before only if that is a full one",
  ["postgres"],
  async () => {
    for (const [name, { runs, change }] of Object.entries(COMPARED)) {
      assert.equal(await valueOf("Last hour vs. the hour before", runs), change, name);
    }
  },
);

const MISSING: Readonly<
  Record<string, { readonly runs: readonly Run[]; readonly missing: number }>
> = {
  "nothing was counted": { runs: [], missing: 0 },
  "events began in this hour": { runs: [{ from: 20 }], missing: 0 },
  "so they did, and one of long ago came later": { runs: [LONG_AGO, { from: 20 }], missing: 0 },
  "nothing happened for five minutes": { runs: [{ from: 90, to: 30 }, { from: 25 }], missing: 5 },
  "nothing happened since before this hour": { runs: [{ from: 90, to: 75 }], missing: 59 },
};

serverTest("minutes without events count from the first event on", [
  "postgres",
], async () => {
  for (const [name, { runs, missing }] of Object.entries(MISSING)) {
    assert.equal(await valueOf("Minutes without events", runs), missing, name);
  }
});

const FUNNEL: readonly Run[] = [
  { from: 90, to: 70, type: "pay", count: 1000 }, // before the hour that is looked at
  { from: 5, type: "clicked", count: 40 },
  { from: 5, type: "register", count: 8 },
  { from: 5, type: "pay", count: 10 },
  { from: 5, type: "clicked", count: 10, lottery: "rare_spin" },
  { from: 5, type: "viewed", count: 99, lottery: "new_keno" },
];

serverTest(
  "payments per click are shown for each lottery and for all",
  ["postgres"],
  async () => {
    const rows = await rowsOf("Click-to-payment funnel by lottery", FUNNEL);
    assert.deepEqual(rows.map((row) => Object.values(row)), [
      ["mega_draw", 200, 40, 50, 0.25],
      ["rare_spin", 50, 0, 0, null],
      ["new_keno", 0, 0, 0, null],
    ]);
    assert.equal(await valueOf("Payments per click", FUNNEL), 0.2);
  },
);

serverTest("the busiest lotteries are shown by name, and all others as one", [
  "postgres",
], async () => {
  const runs = Array.from(
    { length: 12 },
    (_, at) => ({ from: 1, lottery: `${at}`, count: 90 - at }),
  );
  const names = runs.map(({ lottery }) => lottery);
  const top = await rowsOf("Top lotteries", runs);
  assert.deepEqual(top.map(({ lottery }) => lottery), names.slice(0, 10));
  assert.deepEqual(top[0], { lottery: "0", events: 90 });
  const lines = await sumsOf("Events per minute by lottery", runs);
  assert.deepEqual(Object.keys(lines).sort(), [...names.slice(0, 9), "all others"].sort());
  assert.equal(lines["all others"], 81 + 80 + 79);
});

serverTest("the line of an hour earlier shows the hour before", ["postgres"], async () => {
  const runs = [{ from: 120, to: 60, count: 3 }, { from: 60, count: 5 }];
  assert.deepEqual(await sumsOf("Events per minute vs. an hour earlier", runs), {
    "an hour earlier": 3 * 60,
    "now": 5 * 60,
  });
});

/** The figures of Lotto24 for known counts. */

import assert from "node:assert/strict";
import { migrate } from "../../lib/io/postgres/schema/migrate.ts";
import type { Connection } from "../../lib/io/postgres/session/connection.ts";
import { expandSql, query, type QueryContext, readDashboard } from "../support/grafana.ts";
import { createDatabase } from "../support/postgres.ts";
import { serverTest } from "../support/servers.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
/** In minutes. */
const HOUR = 60;
const WEEK = 7 * 24 * HOUR;
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
  await connection.query({
    text: `insert into lottery_hours (hour_start, lottery_name, event_type, event_count)
      select date_trunc('hour', window_start, 'UTC'), lottery_name, event_type, sum(event_count)
      from lottery_aggregates
      group by 1, 2, 3`,
  });
}

interface Drawn {
  /** The range ends at `NOW_MS`. */
  readonly hours?: number;
  /** Which of the panel's queries. */
  readonly target?: number;
  readonly chosen?: QueryContext["chosen"];
  /** A change to the database, after all was counted. */
  readonly change?: string;
}

/** Rows that the panel draws, of the last hour if nothing else is said. */
async function rowsOf(
  title: string,
  runs: readonly Run[],
  { hours = 1, target = 0, chosen = {}, change }: Drawn = {},
): Promise<Record<string, unknown>[]> {
  await using database = await createDatabase();
  await migrate(database.connection);
  await count(database.connection, runs);
  if (change) await database.connection.query({ text: change });
  const sql = panels.find((panel) => panel.title === title)!.targets[target]!.rawSql!;
  const context = {
    fromMs: NOW_MS - hours * HOUR_MS,
    toMs: NOW_MS,
    chosen,
    variables: templating.list,
  };
  const { rows } = await query(database.url, expandSql(sql, context));
  return [...rows];
}

/** The one value of a stat. */
async function valueOf(title: string, runs: readonly Run[], drawn?: Drawn): Promise<unknown> {
  const [row, ...others] = await rowsOf(title, runs, drawn);
  const [value, ...more] = Object.values(row!);
  assert.deepEqual([others, more], [[], []]);
  return value;
}

/** Sum of each line of a time series. */
async function sumsOf(
  title: string,
  runs: readonly Run[],
  drawn?: Drawn,
): Promise<Record<string, number>> {
  const sums: Record<string, number> = {};
  for (const { metric, value } of await rowsOf(title, runs, drawn)) {
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
  "nothing happened in the last hour": { runs: [{ from: 120, to: 60 }], change: -1 },
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

const WEEKS: Readonly<
  Record<
    string,
    { readonly runs: readonly Run[]; readonly change: unknown; readonly drawn?: Drawn }
  >
> = {
  "nothing was counted": { runs: [], change: null },
  "nothing was counted a week ago": { runs: [{ from: 120 }], change: null },
  "events began in the middle of that range": {
    runs: [{ from: WEEK + 30, to: WEEK }, { from: 120 }],
    change: null,
  },
  "a week ago were half as many": {
    runs: [{ from: WEEK + 120, to: WEEK, count: 5 }, { from: 120 }],
    change: 1,
  },
  "a week ago were half as many, but of other lotteries": {
    runs: [{ from: WEEK + 120, to: WEEK, count: 5 }, { from: 120, lottery: "rare_spin" }],
    change: null,
    drawn: { chosen: { lottery: ["rare_spin"] } },
  },
  "only hours are kept of a week ago": {
    runs: [{ from: WEEK + 6 * HOUR, to: WEEK, count: 20 }, { from: 6 * HOUR }],
    change: -0.5,
    drawn: {
      hours: 5.5,
      change: `delete from lottery_aggregates where window_start < '2026-01-27';
        update pipeline set aggregates_horizon = '2026-01-27'`,
    },
  },
  "not even hours are kept of a week ago": {
    runs: [{ from: WEEK + 6 * HOUR, to: WEEK }, { from: 6 * HOUR }],
    change: null,
    drawn: {
      change: `delete from lottery_aggregates where window_start < '2026-01-27';
        delete from lottery_hours where hour_start < '2026-01-27';
        update pipeline set aggregates_horizon = '2026-01-27', hours_horizon = '2026-01-27'`,
    },
  },
};

serverTest("the range is compared with the one a week earlier only if that is a full one", [
  "postgres",
], async () => {
  for (const [name, { runs, change, drawn }] of Object.entries(WEEKS)) {
    assert.equal(await valueOf("Compared with a week earlier", runs, drawn), change, name);
  }
});

const MISSING: Readonly<
  Record<
    string,
    { readonly runs: readonly Run[]; readonly minutes: number | null; readonly hours?: number }
  >
> = {
  "nothing was counted": { runs: [], minutes: null },
  "events began in this hour": { runs: [{ from: 20 }], minutes: 0 },
  "so they did, and one of long ago came later": { runs: [LONG_AGO, { from: 20 }], minutes: 0 },
  "nothing happened for five minutes": { runs: [{ from: 90, to: 30 }, { from: 25 }], minutes: 5 },
  "nothing happened since before this hour": { runs: [{ from: 90, to: 75 }], minutes: 59 },
  "of a long range, only whole hours count": {
    runs: [{ from: 60 * HOUR, to: 40 * HOUR }, { from: 37 * HOUR, to: 30 }],
    minutes: 3 * HOUR,
    hours: 72,
  },
};

serverTest("time without events counts from the first event on", ["postgres"], async () => {
  for (const [name, { runs, minutes, hours }] of Object.entries(MISSING)) {
    const seconds = minutes === null ? null : 60 * minutes;
    assert.equal(await valueOf("Time without events", runs, hours ? { hours } : {}), seconds, name);
  }
});

serverTest("windows longer than a minute are no time without events", ["postgres"], async () => {
  const runs: readonly Run[] = [{ from: 60 * HOUR, to: 30 }, { from: 25 }];
  for (
    const [windowSeconds, hours, minutes] of [
      [300, 1, 5],
      [5_400, 24, 0],
      [5_400, 48, 0],
      [7_200, 48, 0],
    ] as const
  ) {
    const change = `
      update pipeline set window_seconds = ${windowSeconds};
      delete from lottery_aggregates where extract(epoch from window_start) % ${windowSeconds} <> 0;
      delete from lottery_hours where hour_start not in (
        select date_trunc('hour', window_start, 'UTC') from lottery_aggregates
      )`;
    const seconds = await valueOf("Time without events", runs, { hours, change });
    assert.equal(seconds, 60 * minutes, `${windowSeconds} s in ${hours} hours`);
  }
});

serverTest("before the first event, nothing is up to date", ["postgres"], async () => {
  assert.equal(await valueOf("Watermark delay", []), null);
  assert.ok(await valueOf("Watermark delay", [{ from: 20 }]) as number >= 0);
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
      ["mega_draw", 200, 40, 50, null, 0.25],
      ["rare_spin", 50, 0, 0, null, null],
      ["new_keno", 0, 0, 0, null, null],
    ]);
    assert.equal(await valueOf("Payments per click", FUNNEL), 0.2);
  },
);

serverTest("the payments of each lottery are compared with those of a week earlier", [
  "postgres",
], async () => {
  const rows = await rowsOf("Click-to-payment funnel by lottery", [
    { from: WEEK + HOUR, to: WEEK, type: "pay", count: 8 },
    { from: WEEK + HOUR, to: WEEK, type: "pay", count: 5, lottery: "gone_spin" },
    { from: HOUR, type: "pay", count: 10 },
    { from: HOUR, type: "pay", count: 5, lottery: "new_keno" },
    { from: HOUR, type: "clicked", count: 5, lottery: "rare_spin" },
  ]);
  assert.deepEqual(
    rows.map((row) => [row.Lottery, row.Paid, row["Paid, vs. a week earlier"]]),
    [["rare_spin", 0, null], ["mega_draw", 600, 0.25], ["new_keno", 300, null]],
  );
});

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
  const lines = await sumsOf("Events per ${bucket:text} by lottery", runs);
  assert.deepEqual(Object.keys(lines).sort(), [...names.slice(0, 6), "all others"].sort());
  assert.equal(lines["all others"], 84 + 83 + 82 + 81 + 80 + 79);
});

const COMPARISON = "Events per ${bucket:text} compared with earlier";

serverTest("the line of an hour earlier shows the hour before", ["postgres"], async () => {
  const runs = [{ from: 120, to: 60, count: 3 }, { from: 60, count: 5 }];
  assert.deepEqual(await sumsOf(COMPARISON, runs), { "an hour earlier": 3 * 60, "now": 5 * 60 });
  // By the hour it would be the same curve, one point later.
  const byHour = await sumsOf(COMPARISON, runs, { chosen: { step: ["1h"] } });
  assert.deepEqual(byHour, { "now": 5 * 60 });
});

serverTest(
  "the band of a week earlier shows that week at the times of now",
  ["postgres"],
  async () => {
    const runs = [{ from: WEEK + 30, to: WEEK + 20, count: 3 }, { from: 90, count: 5 }];
    for (const title of [COMPARISON, "Events per ${bucket:text} by type"]) {
      const rows = await rowsOf(title, runs, { target: 1 });
      assert.deepEqual(new Set(rows.map(({ metric }) => metric)), new Set(["a week earlier"]));
      const minutes = rows.map(({ time, value }) => [
        (NOW_MS - (time as Date).getTime()) / MINUTE_MS,
        value,
      ]);
      const expected = Array.from(
        { length: 60 },
        (_, at) => [60 - at, at >= 30 && at < 40 ? 3 : 0],
      );
      assert.deepEqual(minutes, expected, title);
      assert.deepEqual(
        await rowsOf(title, [{ from: 90 }], { target: 1 }),
        [],
        "nothing was counted",
      );
    }
  },
);

const STEPS: readonly (readonly [hours: number, step: string | null, expected: string])[] = [
  [1, null, "1m"],
  [6, null, "1m"],
  [24, null, "5m"],
  [48, null, "15m"],
  [7 * 24, null, "1h"],
  [90 * 24, null, "1d"],
  [366 * 24, null, "1d"],
  [6, "1h", "1h"],
  [90 * 24, "5m", "1d"], // too fine for the range
  [366 * 24, "7d", "7d"],
];

serverTest("the charts count by a step that is quick over the range, or by a longer one", [
  "postgres",
], async () => {
  await using database = await createDatabase();
  const bucket = templating.list.find(({ name }) => name === "bucket")!;
  for (const [hours, step, expected] of STEPS) {
    const text = expandSql(bucket.query as string, {
      fromMs: NOW_MS - hours * HOUR_MS,
      toMs: NOW_MS,
      chosen: step ? { step: [step] } : {},
      variables: templating.list,
    });
    const { rows } = await query(database.url, text);
    assert.deepEqual(rows.map(({ __value }) => __value), [expected], `${hours} h, ${step}`);
  }
});

serverTest("days are those of the viewer's time zone, also the one that is an hour short", [
  "postgres",
], async () => {
  const toMs = Date.UTC(2026, 3, 1); // on March 29, clocks in Berlin went forward
  await using database = await createDatabase();
  await migrate(database.connection);
  await count(database.connection, [{
    from: (NOW_MS - toMs) / MINUTE_MS + 5 * 24 * HOUR,
    to: (NOW_MS - toMs) / MINUTE_MS,
    count: 1,
  }]);
  await database.connection.query({
    text: "update pipeline set watermark = $1",
    values: [new Date(toMs)],
  });
  const panel = panels.find(({ title }) => title === "Events per ${bucket:text} by type")!;
  const { rows } = await query(
    database.url,
    expandSql(panel.targets[0]!.rawSql!, {
      fromMs: Date.UTC(2026, 2, 27, 12),
      toMs,
      chosen: { step: ["1d"] },
      variables: templating.list,
    }),
  );
  assert.deepEqual(rows.map(({ time, value }) => [(time as Date).toISOString(), value]), [
    ["2026-03-27T23:00:00.000Z", 1440],
    ["2026-03-28T23:00:00.000Z", 1380],
    ["2026-03-29T22:00:00.000Z", 1440],
    ["2026-03-30T22:00:00.000Z", 1440],
  ]);
});

import assert from "node:assert/strict";
import {
  type ExpectedQuery,
  readExpected,
} from "../../../lib/io/postgres/queries/counts/expected.ts";
import type { Connection } from "../../../lib/io/postgres/session/connection.ts";
import { type Minutes, storeMinutes } from "../../support/minutes.ts";
import { createDatabase } from "../../support/postgres.ts";
import { serverTest } from "../../support/servers.ts";
import { openPostgresHarness } from "./harness.ts";

interface Asked {
  readonly from: string;
  readonly to: string;
  readonly zone?: string;
}

interface Case {
  readonly what: string;
  readonly minutes: readonly Minutes[];
  /** Minutes before it are deleted. */
  readonly horizon?: string;
  readonly asked: Asked;
  /** `lottery type: events (weeks)`, in the order of names. */
  readonly expected: readonly string[];
}

/** What each minute has that is like those of other days. */
const DAILY = "10";
const NOON: Asked = { from: "2026-01-31T12:00Z", to: "2026-01-31T12:15Z" };

function history(from: string, events = DAILY): Minutes {
  return { from, to: "2026-01-31T12:00Z", events };
}

/** A range of the calendar of a zone, on top of what every day has. */
function more(from: string, to: string, events: string): Minutes {
  return { from, to, events };
}

const CASES: readonly Case[] = [
  {
    what: "nothing by no week",
    minutes: [history("2026-01-25T00:00Z")],
    asked: NOON,
    expected: [],
  },
  {
    what: "what a single week had, and by how many it is",
    minutes: [history("2026-01-24T00:00Z")],
    asked: NOON,
    expected: ["keno pay: 150 (1)"],
  },
  {
    what: "the median of four weeks, of the two in the middle the lower one",
    minutes: [
      history("2026-01-01T00:00Z"),
      more("2026-01-24T12:00Z", "2026-01-24T12:15Z", "8"),
      more("2026-01-17T12:00Z", "2026-01-17T12:15Z", "2"),
      more("2026-01-10T12:00Z", "2026-01-10T12:15Z", "4"),
      more("2026-01-03T12:00Z", "2026-01-03T12:15Z", "6"),
    ],
    asked: NOON,
    expected: ["keno pay: 210 (4)"],
  },
  {
    what: "weeks without an event at that time, but on the day before, as none",
    minutes: [
      history("2026-01-01T00:00Z", "case when minute::date = '2026-01-24' then 0 else 10 end"),
    ],
    asked: NOON,
    expected: ["keno pay: 150 (4)"],
  },
  {
    what: "a lottery only by the weeks since it came, each type for itself",
    minutes: [
      history("2026-01-01T00:00Z"),
      { ...history("2026-01-16T00:00Z", "20"), lotteryName: "new" },
      { ...history("2026-01-23T00:00Z", "3"), lotteryName: "new", eventType: "login" },
      { ...history("2026-01-28T00:00Z", "3"), lotteryName: "newer" },
    ],
    asked: NOON,
    expected: ["keno pay: 150 (4)", "new login: 45 (1)", "new pay: 300 (2)"],
  },
  {
    what: "no week in whose hour counting began",
    minutes: [history("2026-01-24T11:20Z")],
    asked: { from: "2026-01-31T11:45Z", to: "2026-01-31T12:00Z" },
    expected: [],
  },
  {
    what: "a week in a rush as a usual day",
    minutes: [
      history(
        "2026-01-16T00:00Z",
        "case when minute between '2026-01-28T11:00Z' and '2026-01-28T12:59Z' then 0 else 10 end",
      ),
      more("2026-01-24T11:30Z", "2026-01-24T13:00Z", "500"),
      more("2026-01-17T11:30Z", "2026-01-17T13:00Z", "90"),
      // A day of that week in a rush at the same time, and one without anything.
      more("2026-01-26T11:30Z", "2026-01-26T13:00Z", "500"),
    ],
    asked: NOON,
    expected: ["keno pay: 150 (2)"],
  },
  {
    what: "a weekend that is busier than other days as it was",
    minutes: [
      history(
        "2026-01-01T00:00Z",
        "case when extract(isodow from minute) >= 6 then 18 else 10 end",
      ),
    ],
    asked: NOON,
    expected: ["keno pay: 270 (4)"],
  },
  {
    what: "working days of what has no weekends",
    minutes: [
      history("2026-01-01T00:00Z", "case when extract(isodow from minute) < 6 then 10 else 0 end"),
    ],
    asked: { from: "2026-01-30T12:00Z", to: "2026-01-30T12:15Z" },
    expected: ["keno pay: 150 (4)"],
  },
  {
    what: "nothing of what is there on three days of a week only",
    minutes: [
      history("2026-01-01T00:00Z", "case when extract(isodow from minute) >= 5 then 10 else 0 end"),
    ],
    asked: NOON,
    expected: ["keno pay: 0 (4)"],
  },
  {
    what: "no week in which the lottery made a break",
    minutes: [
      history(
        "2026-01-01T00:00Z",
        "case when minute::date between '2026-01-08' and '2026-01-22' then 0 else 10 end",
      ),
    ],
    asked: NOON,
    expected: ["keno pay: 150 (2)"],
  },
  {
    what: "its share of each hour where minutes are deleted",
    minutes: [
      history("2026-01-01T00:00Z", "case extract(hour from minute) when 12 then 20 else 10 end"),
    ],
    horizon: "2026-01-30T00:00Z",
    asked: { from: "2026-01-31T11:50Z", to: "2026-01-31T12:05Z" },
    expected: ["keno pay: 200 (4)"],
  },
  {
    what: "minutes where they are kept, and hours before",
    minutes: [
      history("2026-01-01T00:00Z"),
      more("2026-01-24T12:00Z", "2026-01-24T12:15Z", "2"),
      // Of its hour, in minutes that are deleted.
      more("2026-01-17T12:30Z", "2026-01-17T12:45Z", "8"),
      more("2026-01-10T12:30Z", "2026-01-10T12:45Z", "8"),
      more("2026-01-03T12:30Z", "2026-01-03T12:45Z", "8"),
    ],
    horizon: "2026-01-20T00:00Z",
    asked: NOON,
    expected: ["keno pay: 180 (4)"],
  },
];

/** What each quarter of an hour has by the clocks of a zone, so that a wrong hour shows. */
function byClock(zone: string): string {
  return `
    100 + 4 * extract(hour from minute at time zone '${zone}')
      + extract(minute from minute at time zone '${zone}')::integer / 15`;
}

function clocks(
  { what, zone, from, weeks, at }: {
    readonly what: string;
    readonly zone: string;
    readonly from: string;
    readonly weeks: number;
    /** By the clock, of a week before. */
    readonly at: { readonly hour: number; readonly quarter: number };
  },
): Case {
  const fromMs = Date.parse(from);
  const time = (ms: number) => new Date(ms).toISOString();
  const dayMs = 86_400_000;
  return {
    what: `the same time by the clocks of ${zone} ${what}`,
    minutes: [{
      from: time(fromMs - (7 * weeks + 1) * dayMs),
      to: time(fromMs),
      events: byClock(zone),
    }],
    asked: { from, to: time(fromMs + 15 * 60_000), zone },
    expected: [`keno pay: ${15 * (100 + 4 * at.hour + at.quarter)} (${weeks})`],
  };
}

const DAYLIGHT_SAVING: readonly Case[] = [
  clocks({
    what: "after they went forward",
    ...{ zone: "Europe/Berlin", from: "2026-03-31T16:30Z", weeks: 1, at: { hour: 18, quarter: 2 } },
  }),
  clocks({
    what: "after they went back",
    ...{ zone: "Europe/Berlin", from: "2026-10-27T17:30Z", weeks: 1, at: { hour: 18, quarter: 2 } },
  }),
  clocks({
    what: "in the hour that comes a second time",
    ...{ zone: "Europe/Berlin", from: "2026-10-25T01:15Z", weeks: 2, at: { hour: 2, quarter: 1 } },
  }),
  clocks({
    what: "a week after the hour that came twice",
    ...{ zone: "Europe/Berlin", from: "2026-11-01T01:15Z", weeks: 1, at: { hour: 2, quarter: 1 } },
  }),
  clocks({
    what: "a week after the hour that was left out",
    // 02:15 was no time there: the quarter that began as many minutes after the change had it.
    ...{ zone: "Europe/Berlin", from: "2026-04-05T00:15Z", weeks: 1, at: { hour: 3, quarter: 1 } },
  }),
  clocks({
    what: "after they went forward",
    ...{
      zone: "America/New_York",
      from: "2026-03-10T22:30Z",
      weeks: 1,
      at: { hour: 18, quarter: 2 },
    },
  }),
  clocks({
    what: "after they went back",
    ...{
      zone: "America/New_York",
      from: "2026-11-03T23:30Z",
      weeks: 1,
      at: { hour: 18, quarter: 2 },
    },
  }),
];

async function expectedCounts(
  connection: Connection,
  { from, to, zone = "UTC" }: Asked,
): Promise<string[]> {
  const rows = await connection.query<
    { lottery_name: string; event_type: string; expected_count: number; weeks: number }
  >({
    text: "select * from expected_counts($1, $2, $3) order by lottery_name, event_type",
    values: [from, to, zone],
  });
  return rows.map(({ lottery_name, event_type, expected_count, weeks }) =>
    `${lottery_name} ${event_type}: ${expected_count} (${weeks})`
  );
}

serverTest("expected_counts takes the same time of the weeks before", ["postgres"], async () => {
  await using database = await createDatabase();
  await using harness = await openPostgresHarness(database.url);
  const { connection } = harness;
  for (const { what, minutes, horizon = null, asked, expected } of [...CASES, ...DAYLIGHT_SAVING]) {
    await connection.query({ text: "truncate lottery_aggregates, lottery_hours" });
    for (const each of minutes) await storeMinutes(connection, each);
    await connection.query({
      text: "update pipeline set aggregates_horizon = $1",
      values: [horizon],
    });
    await connection.query({
      text: "delete from lottery_aggregates where window_start < $1",
      values: [horizon],
    });
    assert.deepEqual(await expectedCounts(connection, asked), expected, what);
  }
});

serverTest(
  "readExpected() has events beside what is expected, of all or of some",
  ["postgres"],
  async () => {
    await using database = await createDatabase();
    const query = {
      fromMs: Date.parse("2026-01-31T12:00Z"),
      toMs: Date.parse("2026-01-31T12:15Z"),
      zone: "UTC",
      lotteryNames: [],
      eventTypes: [],
    };
    const nothing = { isClosed: false, isTruncated: false, rows: [] };
    assert.deepEqual(await readExpected(database.connection, query), nothing, "no tables");
    await using harness = await openPostgresHarness(database.url);
    const { connection } = harness;
    assert.deepEqual(await readExpected(connection, query), nothing);

    await storeMinutes(connection, history("2026-01-23T00:00Z"));
    await storeMinutes(connection, { ...history("2026-01-23T00:00Z", "3"), eventType: "login" });
    const now = { from: "2026-01-31T12:00Z", to: "2026-01-31T12:10Z", events: "2" };
    await storeMinutes(connection, now);
    await storeMinutes(connection, { ...now, lotteryName: "new", eventType: "login" });
    await connection.query({ text: "update pipeline set closed_up_to = '2026-01-31T12:15Z'" });
    const [kenoPay, kenoLogin, newLogin] = [
      { lotteryName: "keno", eventType: "pay", events: 20, expected: 150, weeks: 1 },
      { lotteryName: "keno", eventType: "login", events: 0, expected: 45, weeks: 1 },
      { lotteryName: "new", eventType: "login", events: 20, expected: 0, weeks: 0 },
    ];
    assert.deepEqual(await readExpected(connection, query), {
      isClosed: true,
      isTruncated: false,
      rows: [kenoPay, kenoLogin, newLogin],
    });
    const rows = async (changes: Partial<ExpectedQuery>) =>
      (await readExpected(connection, { ...query, ...changes })).rows;
    assert.deepEqual(await rows({ lotteryNames: ["new", "nobody"] }), [newLogin]);
    assert.deepEqual(await rows({ eventTypes: ["login"] }), [kenoLogin, newLogin]);
    assert.deepEqual(await rows({ lotteryNames: ["keno"], eventTypes: ["pay"] }), [kenoPay]);
  },
);

serverTest(
  "windows of a day are compared with those of the same weekday when clocks have changed",
  ["postgres"],
  async () => {
    await using database = await createDatabase();
    await using harness = await openPostgresHarness(database.url);
    const { connection } = harness;
    await connection.query({ text: "update pipeline set window_seconds = 86400" });
    const days = `
      select day, case extract(isodow from day at time zone 'UTC') when 7 then 50 else 1000 end
      from generate_series('2026-02-01T00:00Z'::timestamptz, '2026-05-01T00:00Z', '24 hours') as day`;
    await connection.query({
      text: `
        with days (day, events) as (${days}),
        hours as (
          insert into lottery_hours (hour_start, lottery_name, event_type, event_count)
          select day, 'keno', 'pay', events from days
        )
        insert into lottery_aggregates
          (window_start, window_end, lottery_name, event_type, event_count)
        select day, day + interval '24 hours', 'keno', 'pay', events from days`,
    });
    // A Sunday's window is compared with Sundays' when the clocks have gone forward on March 29.
    for (const sunday of ["2026-03-22", "2026-03-29", "2026-04-05", "2026-04-12"]) {
      const rows = await connection.query({
        text: `
          select expected_count, weeks
          from expected_counts($1::timestamptz, $1::timestamptz + '24 hours', 'Europe/Berlin')`,
        values: [`${sunday}T00:00Z`],
      });
      assert.deepEqual(rows, [{ expected_count: 50, weeks: 4 }], sunday);
    }
  },
);

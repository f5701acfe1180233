/** Views of any range against a recount of the same counts in plain TypeScript. */

import fc from "fast-check";
import assert from "node:assert/strict";
import { type Range, RANGES } from "../../../../lib/core/views/time_range.ts";
import type { ViewChoice, WindowView } from "../../../../lib/core/views/window_view.ts";
import type { WindowCount } from "../../../../lib/core/windowing/window.ts";
import { readOverview } from "../../../../lib/io/postgres/queries/overview.ts";
import { readWindowView } from "../../../../lib/io/postgres/queries/window_view.ts";
import type { Connection } from "../../../../lib/io/postgres/session/connection.ts";
import { setEventTime, storeCounts } from "../../../support/counted.ts";
import { createDatabase } from "../../../support/postgres.ts";
import { serverTest } from "../../../support/servers.ts";
import { IDENTITY, openPostgresHarness } from "../harness.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const WEEK_MS = 7 * DAY_MS;
/** The window that event time is in: three days after Berlin's clocks went back. */
const CURRENT_MS = Date.UTC(2025, 9, 29, 10, 17);
const FIRST_MS = CURRENT_MS - 40 * DAY_MS;
const ALL: ViewChoice = { range: "15m", lotteryNames: [], zone: "UTC" };

/** Counts of 40 days, closer together in the last two weeks' minutes, each window with its own. */
function counts(): WindowCount[] {
  const minutes = new Set<number>([0, 40 * 24 * 60]);
  for (let n = 0; n < 1_500; n++) minutes.add((n * 7_919) % (40 * 24 * 60));
  for (let n = 0; n < 120; n++) for (const week of [0, 1]) minutes.add(n + week * 7 * 24 * 60);
  return [...minutes].flatMap((minute) =>
    [0, 1, 2].map((n) => ({
      windowStartMs: CURRENT_MS - minute * MINUTE_MS,
      lotteryName: `lottery ${(minute + n * n) % 5}`,
      eventType: `type ${(minute * 3 + n) % 4}`,
      count: 1 + (minute * 31 + n) % 97,
    }))
  ).filter((count, at, all) =>
    all.findIndex((other) =>
      other.windowStartMs === count.windowStartMs && other.lotteryName === count.lotteryName &&
      other.eventType === count.eventType
    ) === at
  );
}

async function viewTestDatabase(body: (connection: Connection) => Promise<void>): Promise<void> {
  const database = await createDatabase();
  const release = async () => await database[Symbol.asyncDispose]();
  await using harness = await openPostgresHarness(database.url, release);
  await setEventTime(harness.connection, {
    watermarkMs: CURRENT_MS + 5_000,
    closedUpToMs: CURRENT_MS - MINUTE_MS,
  });
  await body(harness.connection);
}

async function view(connection: Connection, choice: Partial<ViewChoice>): Promise<WindowView> {
  const overview = await readOverview(connection, IDENTITY.topic);
  return (await readWindowView(connection, { ...ALL, ...choice }, overview!))!;
}

/** Hour and minute by the clocks of a zone. */
function clock(timeMs: number, zone: string): string {
  return new Intl.DateTimeFormat("en-GB", { timeZone: zone, timeStyle: "short" }).format(timeMs);
}

/** The same time of the clocks of a zone, seven days before. */
function weekBefore(timeMs: number, zone: string): number {
  const found = [0, -HOUR_MS, HOUR_MS].map((shift) => timeMs - WEEK_MS + shift)
    .find((each) => clock(each, zone) === clock(timeMs, zone));
  return found!;
}

/** Compares a view with what the counts say that it must have. */
function check(found: WindowView, counted: readonly WindowCount[], choice: ViewChoice): void {
  const { bars, eventTypes, lotteryNames, zone, stepMs } = found;
  const calendar = stepMs < DAY_MS ? "UTC" : zone;
  const chosen = ({ lotteryName }: WindowCount) =>
    choice.lotteryNames.length === 0 || choice.lotteryNames.includes(lotteryName);
  const between = (fromMs: number, toMs: number) =>
    counted.filter(({ windowStartMs }) => windowStartMs >= fromMs && windowStartMs < toMs);
  const byType = (rows: readonly WindowCount[]) => {
    const events = Array<number>(eventTypes.length + 1).fill(0);
    for (const { eventType, count } of rows.filter(chosen)) {
      events[eventTypes.includes(eventType) ? eventTypes.indexOf(eventType) : events.length - 1]! +=
        count;
    }
    return events;
  };
  const byLottery = (rows: readonly WindowCount[]) => {
    const table = Array.from(
      { length: lotteryNames.length + 1 },
      () => Array<number>(eventTypes.length + 1).fill(0),
    );
    for (const { lotteryName, eventType, count } of rows) {
      const place = [lotteryNames.indexOf(lotteryName), eventTypes.indexOf(eventType)];
      const [lottery, type] = place.map((at, n) =>
        at < 0 ? [lotteryNames, eventTypes][n]!.length : at
      );
      table[lottery!]![type!]! += count;
    }
    return table;
  };
  assert.equal(bars[0]!.startMs, found.fromMs);
  assert.equal(bars.at(-1)!.endMs, found.toMs);
  const { range } = choice;
  const held = typeof range === "string" ? [CURRENT_MS] : [range.fromMs, range.toMs - 1];
  for (const timeMs of held) {
    assert.ok(bars.some(({ startMs, endMs }) => startMs <= timeMs && timeMs < endMs), "is covered");
  }
  assert.equal(found.isLive, typeof range === "string");
  assert.equal(found.keptFromMs, null);
  for (const [at, { startMs, endMs, events, weekAgo }] of bars.entries()) {
    if (at > 0) assert.equal(startMs, bars[at - 1]!.endMs, "no gap");
    if (stepMs >= DAY_MS) assert.equal(clock(startMs, zone), "00:00", "days of the zone");
    else assert.deepEqual([startMs % stepMs, endMs - startMs], [0, stepMs]);
    assert.deepEqual(events, byType(between(startMs, endMs)));
    const [fromMs, toMs] = [weekBefore(startMs, calendar), weekBefore(endMs, calendar)];
    assert.deepEqual(weekAgo, fromMs < firstHour(counted) ? null : byType(between(fromMs, toMs)));
  }
  assert.deepEqual(found.totals, byLottery(between(found.fromMs, found.toMs)));
  const endMs = Math.min(found.toMs, CURRENT_MS + MINUTE_MS);
  assert.deepEqual(
    found.totalsWeekAgo,
    bars.some(({ weekAgo }) => weekAgo === null)
      ? null
      : byLottery(between(weekBefore(found.fromMs, calendar), weekBefore(endMs, calendar))),
  );
  const ofWindow = (startMs: number) => byLottery(between(startMs, startMs + MINUTE_MS));
  assert.deepEqual(found.current, { startMs: CURRENT_MS, events: ofWindow(CURRENT_MS) });
  const closedMs = CURRENT_MS - 2 * MINUTE_MS;
  assert.deepEqual(found.closed, {
    startMs: closedMs,
    events: ofWindow(closedMs),
    eventsBefore: ofWindow(closedMs - MINUTE_MS),
    eventsWeekAgo: ofWindow(closedMs - WEEK_MS),
  });
}

function firstHour(counted: readonly WindowCount[]): number {
  const firstMs = Math.min(...counted.map(({ windowStartMs }) => windowStartMs));
  return Math.floor(firstMs / HOUR_MS) * HOUR_MS;
}

serverTest("views of any range have what was counted, and the same time a week before", [
  "postgres",
], async () => {
  const counted = counts();
  await viewTestDatabase(async (connection) => {
    await storeCounts(connection, counted);
    const range = fc.oneof(
      fc.constantFrom(...Object.keys(RANGES) as Range[]),
      fc.tuple(fc.integer({ min: 0, max: 45 * 24 * 60 }), fc.integer({ min: 1, max: 60_000 })).map(
        ([ago, minutes]) => {
          const fromMs = CURRENT_MS - ago * MINUTE_MS + 1_234;
          return { fromMs, toMs: fromMs + minutes * MINUTE_MS };
        },
      ),
    );
    const zone = fc.constantFrom("UTC", "Europe/Berlin", "Asia/Kolkata");
    const lotteryNames = fc.subarray(["lottery 1", "lottery 3", "nobody's"]);
    await fc.assert(
      fc.asyncProperty(range, zone, lotteryNames, async (range, zone, lotteryNames) => {
        const choice = { range, zone, lotteryNames };
        check(await view(connection, choice), counted, choice);
      }),
      {
        numRuns: 40,
        examples: [
          [{ fromMs: Date.UTC(2025, 9, 6), toMs: Date.UTC(2025, 9, 28) }, "Europe/Berlin", []],
          [
            { fromMs: Date.UTC(2024, 9, 6), toMs: Date.UTC(2025, 9, 28) },
            "Europe/Berlin",
            ["lottery 3"],
          ],
          [{ fromMs: Date.UTC(2023, 9, 6), toMs: Date.UTC(2025, 9, 28) }, "Asia/Kolkata", []],
        ],
      },
    );
  });
});

serverTest("a day on which clocks change is as long as it is", ["postgres"], async () => {
  await viewTestDatabase(async (connection) => {
    await storeCounts(connection, counts());
    const { bars } = await view(connection, { range: "1y", zone: "Europe/Berlin" });
    const hours = new Map(bars.map(({ startMs, endMs }) => [
      new Date(startMs).toISOString(),
      (endMs - startMs) / HOUR_MS,
    ]));
    assert.equal(hours.get("2025-03-29T23:00:00.000Z"), 23);
    assert.equal(hours.get("2025-10-25T22:00:00.000Z"), 25);
    assert.equal(hours.get("2025-10-26T23:00:00.000Z"), 24);
  });
});

serverTest("a view says from when on counts are kept, and leaves out what is deleted", [
  "postgres",
], async () => {
  await viewTestDatabase(async (connection) => {
    await storeCounts(connection, counts());
    const horizonMs = CURRENT_MS - 10 * DAY_MS;
    await connection.query({
      text: "update pipeline set aggregates_horizon = $1, hours_horizon = $2",
      values: [new Date(horizonMs), new Date(CURRENT_MS - 20 * DAY_MS)],
    });
    const short = await view(connection, {
      range: { fromMs: horizonMs - 30 * MINUTE_MS, toMs: horizonMs + 30 * MINUTE_MS },
    });
    assert.deepEqual([short.keptFromMs, short.fromMs], [horizonMs, horizonMs]);
    assert.equal(short.bars.length, 30);
    assert.ok(short.bars.every(({ weekAgo }) => weekAgo === null));
    assert.equal(short.totalsWeekAgo, null);

    const long = await view(connection, { range: "30d" });
    assert.equal(long.keptFromMs, Date.UTC(2025, 9, 9, 12));
    assert.equal(long.fromMs, long.keptFromMs);
    assert.deepEqual(
      long.bars.map(({ weekAgo }) => weekAgo !== null),
      long.bars.map(({ startMs }) => startMs - WEEK_MS >= long.keptFromMs!),
    );

    const gone = { fromMs: FIRST_MS, toMs: FIRST_MS + HOUR_MS };
    const nothing = await view(connection, { range: gone });
    assert.deepEqual([nothing.bars, nothing.totals, nothing.keptFromMs], [[], [[0]], horizonMs]);
    assert.deepEqual([nothing.fromMs, nothing.toMs], [gone.fromMs, gone.toMs]);

    const kept = await view(connection, { range: "1h" });
    assert.deepEqual([kept.keptFromMs, kept.isLive], [null, true]);
  });
});

serverTest("a range in which nothing was counted has empty bars", ["postgres"], async () => {
  await viewTestDatabase(async (connection) => {
    await storeCounts(connection, counts());
    const fromMs = FIRST_MS - 100 * DAY_MS;
    const { bars, eventTypes, totals, keptFromMs, isLive, totalsWeekAgo } = await view(connection, {
      range: { fromMs, toMs: fromMs + HOUR_MS },
    });
    assert.deepEqual([bars.length, eventTypes, totals], [60, [], [[0]]]);
    assert.deepEqual([keptFromMs, isLive, totalsWeekAgo], [null, false, null]);
  });
});

serverTest("a zone that PostgreSQL does not know is taken for UTC, and the view says so", [
  "postgres",
], async () => {
  await viewTestDatabase(async (connection) => {
    await storeCounts(connection, counts());
    const { zone, bars } = await view(connection, { range: "1y", zone: "Europe/Atlantis" });
    assert.equal(zone, "UTC");
    assert.equal(bars.at(-1)!.startMs % DAY_MS, 0);
  });
});

serverTest(
  "windows of any length have bars that hold each of them once",
  ["postgres"],
  async () => {
    await viewTestDatabase(async (connection) => {
      for (const seconds of [1, 7, 90, 5_400, 86_400]) {
        const windowMs = seconds * 1_000;
        const currentMs = Math.floor(CURRENT_MS / windowMs) * windowMs;
        await connection.query({
          text: "update pipeline set window_seconds = $1, closed_up_to = $2",
          values: [seconds, new Date(currentMs)],
        });
        await connection.query({ text: "truncate lottery_aggregates, lottery_hours" });
        const counted = [0, 1, 2, 3, 10, 50, Math.floor(DAY_MS / windowMs)].flatMap((ago) => [
          { windowStartMs: currentMs - ago * windowMs, count: 1 + ago },
          { windowStartMs: currentMs - ago * windowMs - Math.ceil(WEEK_MS / windowMs) * windowMs },
        ]);
        const counts = new Map(counted.map(({ windowStartMs, count = 5 }) => [
          windowStartMs,
          { windowStartMs, lotteryName: "mega_draw", eventType: "pay", count },
        ]));
        await storeCounts(connection, [...counts.values()]);
        for (const zone of ["UTC", "Asia/Kolkata"]) {
          for (const range of ["15m", "24h", "30d"] as const) {
            const { bars, fromMs, toMs, totals } = await view(connection, { range, zone });
            const sum = (fromMs: number, toMs: number) =>
              [...counts.values()].reduce(
                (all, { windowStartMs, count }) =>
                  all + (windowStartMs >= fromMs && windowStartMs < toMs ? count : 0),
                0,
              );
            const found = bars.map(({ events }) => events.reduce((all, each) => all + each));
            assert.deepEqual(found, bars.map(({ startMs, endMs }) => sum(startMs, endMs)));
            assert.equal(totals.flat().reduce((all, each) => all + each), sum(fromMs, toMs));
            assert.ok(bars.at(-1)!.startMs <= currentMs && currentMs < toMs);
          }
        }
      }
    });
  },
);

import assert from "node:assert/strict";
import type { ViewChoice, WindowView } from "../../../../lib/core/views/window_view.ts";
import type { WindowCount } from "../../../../lib/core/windowing/window.ts";
import { readOverview } from "../../../../lib/io/postgres/queries/overview.ts";
import { readWindowView } from "../../../../lib/io/postgres/queries/window_view.ts";
import { setEventTime, storeCounts } from "../../../support/counted.ts";
import { createDatabase } from "../../../support/postgres.ts";
import { serverTest } from "../../../support/servers.ts";
import { commitOf } from "../../../support/sink_contract.ts";
import { IDENTITY, openPostgresHarness, type PostgresHarness } from "../harness.ts";

const MINUTE_MS = 60_000;
/** The window that event time is in. */
const NOON_MS = Date.UTC(2026, 0, 1, 12);

const ALL: ViewChoice = { range: "15m", lotteryNames: [], zone: "UTC" };

function viewTest(rule: string, body: (harness: PostgresHarness) => Promise<void>): void {
  serverTest(rule, ["postgres"], async () => {
    const database = await createDatabase();
    const release = async () => await database[Symbol.asyncDispose]();
    await using harness = await openPostgresHarness(database.url, release);
    await body(harness);
  });
}

async function view(
  { connection }: PostgresHarness,
  choice: Partial<ViewChoice> = {},
): Promise<WindowView> {
  const overview = await readOverview(connection, IDENTITY.topic);
  const found = await readWindowView(
    connection,
    { ...ALL, ...choice },
    overview!,
  );
  return found!;
}

/** Many counts of 30 lotteries and 9 types, in no order, some of them before the range. */
function manyCounts(): WindowCount[] {
  return Array.from({ length: 20 * 30 * 9 }, (_, n) => {
    const [minute, lottery, type] = [n % 20, Math.floor(n / 20) % 30, Math.floor(n / 600)];
    return {
      windowStartMs: NOON_MS - minute * MINUTE_MS,
      lotteryName: `lottery ${lottery}`,
      eventType: `type ${type}`,
      count: 1 + (n * 7919) % 101 + (30 - lottery) * (9 - type) * 50,
    };
  });
}

function sum(counts: readonly WindowCount[], fits: (count: WindowCount) => boolean): number {
  return counts.reduce((total, count) => total + (fits(count) ? count.count : 0), 0);
}

viewTest("a view has the greatest lotteries and types, and the rest together", async (harness) => {
  const counts = manyCounts();
  await storeCounts(harness.connection, counts);
  await setEventTime(harness.connection, {
    watermarkMs: NOON_MS + 5_000,
    closedUpToMs: NOON_MS - MINUTE_MS,
  });
  const { eventTypes, lotteryNames, otherLotteries, ...found } = await view(harness);

  assert.deepEqual(eventTypes, [0, 1, 2, 3, 4, 5, 6].map((type) => `type ${type}`));
  assert.deepEqual(lotteryNames, Array.from({ length: 12 }, (_, at) => `lottery ${at}`));
  assert.equal(otherLotteries, 18);
  const isOf = (place: number, names: readonly string[], name: string) =>
    (names[place] ?? name) === name && (place < names.length || !names.includes(name));
  const range = counts.filter(({ windowStartMs }) => windowStartMs > NOON_MS - 15 * MINUTE_MS);
  const table = (fits: (startMs: number) => boolean) =>
    Array.from(
      { length: 13 },
      (_, lottery) =>
        Array.from({ length: 8 }, (_, type) =>
          sum(counts, (count) =>
            fits(count.windowStartMs) && isOf(lottery, lotteryNames, count.lotteryName) &&
            isOf(type, eventTypes, count.eventType))),
    );
  assert.deepEqual(found.totals, table((startMs) => startMs > NOON_MS - 15 * MINUTE_MS));
  assert.equal(found.bars.length, 15);
  for (const { startMs, events } of found.bars) {
    assert.equal(
      events.reduce((total, each) => total + each),
      sum(range, ({ windowStartMs }) => windowStartMs === startMs),
    );
  }
  assert.deepEqual(found.current, {
    startMs: NOON_MS,
    events: table((startMs) => startMs === NOON_MS),
  });
  assert.deepEqual(found.closed, {
    startMs: NOON_MS - 2 * MINUTE_MS,
    events: table((startMs) => startMs === NOON_MS - 2 * MINUTE_MS),
    eventsBefore: table((startMs) => startMs === NOON_MS - 3 * MINUTE_MS),
    eventsWeekAgo: null,
  });
});

viewTest("a view of one lottery has its counts, and a place for it", async (harness) => {
  const counts = manyCounts();
  await storeCounts(harness.connection, counts);
  const lotteryName = "lottery 29";
  const found = await view(harness, { lotteryNames: [lotteryName], range: "1h" });
  assert.equal(found.lotteryNames[0], lotteryName);
  assert.equal(found.lotteryNames.length, 12);
  const total = sum(counts, (count) => count.lotteryName === lotteryName);
  assert.equal(found.totals[0]!.reduce((all, each) => all + each), total);
  assert.equal(found.bars.flatMap(({ events }) => events).reduce((all, each) => all + each), total);
  assert.equal(found.closed, null);

  const nothing = await view(harness, { lotteryNames: ["'; drop table pipeline; --"] });
  assert.deepEqual(nothing.eventTypes, []);
  assert.ok(nothing.bars.every(({ events }) => events[0] === 0));
});

viewTest("long ranges join windows into bars", async (harness) => {
  const hours = [0, 1, 23.5, 24.1].map((hour) => ({
    windowStartMs: NOON_MS - hour * 60 * MINUTE_MS,
    lotteryName: "mega_draw",
    eventType: "pay",
    count: 10,
  }));
  await storeCounts(harness.connection, hours);
  const { bars, stepMs, totals } = await view(harness, { range: "24h" });
  assert.equal(stepMs, 15 * MINUTE_MS);
  const filled = bars.flatMap(({ events }, at) => events[0]! > 0 ? [at] : []);
  assert.deepEqual(filled, [1, 91, 95]);
  assert.deepEqual(totals, [[30, 0], [0, 0]]);
});

viewTest(
  "the overview has the books of all partitions, and no view before the first count",
  async (harness) => {
    const { connection, first } = harness;
    const before = (await readOverview(connection, IDENTITY.topic))!;
    assert.deepEqual([before.events, before.newestWindowMs, before.partitions], [0, null, []]);
    assert.equal(await readWindowView(connection, ALL, before), null);
    await first.positions(new Map([[0, 0], [1, 100]]));
    await first.commit(commitOf([[0, 0, 5], [1, 100, 107]]));
    const after = (await readOverview(connection, IDENTITY.topic))!;
    assert.equal(after.events, 12);
    assert.deepEqual(
      after.partitions.map(({ partition, nextOffset }) => [partition, nextOffset]),
      [[0, 5], [1, 107]],
    );
    assert.notEqual(after.newestWindowMs, null);
  },
);

viewTest(
  "there is no week before to compare with if its last minutes are deleted, though their hour is not",
  async (harness) => {
    const { connection } = harness;
    const weeksAgo = (weeks: number) => ({
      windowStartMs: NOON_MS + 10 * MINUTE_MS - weeks * 7 * 24 * 60 * MINUTE_MS,
      lotteryName: "keno",
      eventType: "pay",
      count: 3,
    });
    await storeCounts(connection, [0, 1, 2].map(weeksAgo));
    const weekAgo = async (horizonMs: number) => {
      await connection.query({
        text: "update pipeline set aggregates_horizon = $1",
        values: [new Date(horizonMs)],
      });
      const { bars, totalsWeekAgo } = await view(harness, { range: "7d" });
      assert.deepEqual(bars.at(-1)!.weekAgo, [3, 0], "the whole hour is kept");
      return totalsWeekAgo;
    };
    const hourMs = NOON_MS - 7 * 24 * 60 * MINUTE_MS;
    assert.deepEqual(await weekAgo(hourMs), [[3, 0], [0, 0]]);
    assert.equal(await weekAgo(hourMs + MINUTE_MS), null);
  },
);

serverTest("there is no overview of a database without tables", ["postgres"], async () => {
  await using database = await createDatabase();
  assert.equal(await readOverview(database.connection, IDENTITY.topic), null);
});

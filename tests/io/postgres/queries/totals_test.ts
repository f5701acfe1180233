import assert from "node:assert/strict";
import type { WindowCount } from "../../../../lib/core/windowing/window.ts";
import { readTotals, type TotalsQuery } from "../../../../lib/io/postgres/queries/totals.ts";
import { setEventTime, storeCounts } from "../../../support/counted.ts";
import { createDatabase } from "../../../support/postgres.ts";
import { serverTest } from "../../../support/servers.ts";
import { openPostgresHarness } from "../harness.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const WEEK_MS = 7 * DAY_MS;
const NOON_MS = Date.UTC(2026, 0, 15, 12);

async function openHarness() {
  const database = await createDatabase();
  const release = async () => await database[Symbol.asyncDispose]();
  return await openPostgresHarness(database.url, release);
}

const QUERY: TotalsQuery = {
  fromMs: NOON_MS,
  toMs: NOON_MS + HOUR_MS,
  zone: "UTC",
  lotteryNames: [],
};

function counted(atMs: number, lotteryName: string, count: number, eventType = "pay"): WindowCount {
  return { windowStartMs: atMs, lotteryName, eventType, count };
}

serverTest("readTotals() gives a table of a range, the busiest first", ["postgres"], async () => {
  await using harness = await openHarness();
  const { connection } = harness;
  await storeCounts(connection, [
    counted(NOON_MS, "a", 1),
    counted(NOON_MS + 59 * MINUTE_MS, "b", 2),
    counted(NOON_MS + 59 * MINUTE_MS, "b", 3, "click"),
    counted(NOON_MS + HOUR_MS, "c", 99), // begins where the range ends
    counted(NOON_MS - MINUTE_MS, "c", 99),
    counted(NOON_MS - WEEK_MS - DAY_MS, "c", 99),
    counted(NOON_MS - WEEK_MS, "a", 5, "click"),
    counted(NOON_MS - WEEK_MS, "a", 7, "view"), // a type that is not there now
    counted(NOON_MS - WEEK_MS, "d", 11), // neither is this lottery
  ]);
  await setEventTime(connection, { watermarkMs: NOON_MS, closedUpToMs: NOON_MS + HOUR_MS });
  assert.deepEqual(await readTotals(connection, QUERY), {
    eventTypes: ["click", "pay"],
    lotteryNames: ["b", "a"],
    otherLotteries: 0,
    totals: [[3, 2, 0], [0, 1, 0], [0, 0, 0]],
    totalsWeekAgo: [[0, 0, 0], [5, 0, 7], [0, 11, 0]],
    isClosed: true,
    isWhole: true,
  });
  const chosen = { ...QUERY, toMs: QUERY.toMs + MINUTE_MS, lotteryNames: ["nobody", "a"] };
  assert.deepEqual(await readTotals(connection, chosen), {
    eventTypes: ["pay"],
    lotteryNames: ["a", "nobody"],
    otherLotteries: 0,
    totals: [[1, 0], [0, 0], [0, 0]],
    totalsWeekAgo: [[0, 12], [0, 0], [0, 0]],
    isClosed: false,
    isWhole: true,
  });
});

serverTest(
  "12 lotteries and 7 types have their own place, and those chosen",
  ["postgres"],
  async () => {
    await using harness = await openHarness();
    const { connection } = harness;
    const names = Array.from({ length: 15 }, (_, at) => `lottery ${String.fromCharCode(97 + at)}`);
    await storeCounts(connection, [
      ...names.map((name, at) => counted(NOON_MS, name, 100 - at)),
      ...names.slice(0, 9).map((name, at) =>
        counted(NOON_MS, names[0]!, 9 - at, `type of ${name}`)
      ),
    ]);
    const { lotteryNames, otherLotteries, eventTypes, totals } = await readTotals(
      connection,
      QUERY,
    );
    assert.deepEqual([lotteryNames, otherLotteries], [names.slice(0, 12), 3]);
    assert.deepEqual([eventTypes.length, eventTypes[0]], [7, "pay"]);
    assert.deepEqual(totals.at(-1), [88 + 87 + 86, 0, 0, 0, 0, 0, 0, 0]);
    assert.deepEqual(totals[0], [100, 9, 8, 7, 6, 5, 4, 3 + 2 + 1]);
    const chosen = await readTotals(connection, { ...QUERY, lotteryNames: names.toReversed() });
    assert.deepEqual([chosen.lotteryNames, chosen.otherLotteries], [names, 0]);
  },
);

serverTest(
  "a week ago is unknown where it was not counted, or is deleted",
  ["postgres"],
  async () => {
    await using harness = await openHarness();
    const { connection } = harness;
    const firstMs = NOON_MS - WEEK_MS - DAY_MS;
    await storeCounts(connection, [counted(firstMs, "a", 1), counted(NOON_MS - WEEK_MS, "a", 2)]);
    const weekAgo = async (fromMs: number, toMs: number) =>
      (await readTotals(connection, { ...QUERY, fromMs, toMs })).totalsWeekAgo?.at(-1)?.at(-1) ??
        null;
    const horizons = async (windowsMs: number, hoursMs: number | null) =>
      await connection.query({
        text: "update pipeline set aggregates_horizon = $1, hours_horizon = $2",
        values: [new Date(windowsMs), hoursMs === null ? null : new Date(hoursMs)],
      });
    const hour = [NOON_MS, NOON_MS + HOUR_MS] as const;
    const halfHour = [NOON_MS + HOUR_MS / 2, NOON_MS + HOUR_MS] as const;
    assert.equal(await weekAgo(...hour), 2);
    assert.equal(await weekAgo(firstMs + WEEK_MS, NOON_MS), 1);
    assert.equal(await weekAgo(firstMs + WEEK_MS - MINUTE_MS, NOON_MS), null, "began later");
    await horizons(NOON_MS - WEEK_MS, null);
    assert.equal(await weekAgo(...hour), 2);
    assert.equal(await weekAgo(...halfHour), 0);
    await horizons(NOON_MS - WEEK_MS + HOUR_MS, null);
    assert.equal(await weekAgo(...hour), 2, "whole hours are kept longer");
    assert.equal(await weekAgo(...halfHour), null);
    assert.equal(await weekAgo(NOON_MS, NOON_MS + HOUR_MS / 2), null, "ends within a deleted hour");
    await horizons(NOON_MS - WEEK_MS + HOUR_MS, NOON_MS - WEEK_MS + HOUR_MS);
    assert.equal(await weekAgo(...hour), null);
  },
);

serverTest("totals say whether a part of the range is deleted", ["postgres"], async () => {
  await using harness = await openHarness();
  const { connection } = harness;
  await storeCounts(connection, [counted(NOON_MS, "a", 1)]);
  await connection.query({
    text: "update pipeline set aggregates_horizon = $1, hours_horizon = $2",
    values: [new Date(NOON_MS), new Date(NOON_MS - 2 * HOUR_MS)],
  });
  const isWhole = async (fromMs: number, toMs: number) =>
    (await readTotals(connection, { ...QUERY, fromMs, toMs })).isWhole;
  assert.equal(await isWhole(NOON_MS, NOON_MS + MINUTE_MS), true);
  assert.equal(await isWhole(NOON_MS - HOUR_MS, NOON_MS + MINUTE_MS), true, "of whole hours");
  assert.equal(await isWhole(NOON_MS - MINUTE_MS, NOON_MS + MINUTE_MS), false);
  assert.equal(await isWhole(NOON_MS - HOUR_MS, NOON_MS - MINUTE_MS), false);
  assert.equal(await isWhole(NOON_MS - 3 * HOUR_MS, NOON_MS), false, "hours are deleted, too");
});

serverTest(
  "whole days are compared by the zone's calendar, hours by the clock",
  ["postgres"],
  async () => {
    await using harness = await openHarness();
    const { connection } = harness;
    // Summer time begins in Berlin in the night to the 29th.
    const localDay = (day: string, offset: string) => Date.parse(`2026-03-${day}T00:00${offset}`);
    const zone = "Europe/Berlin";
    await storeCounts(connection, [
      counted(localDay("01", "+01:00"), "a", 100),
      counted(localDay("24", "+01:00"), "a", 1),
      counted(localDay("24", "+01:00") + 23 * HOUR_MS, "a", 2),
      counted(localDay("25", "+01:00"), "a", 4),
    ]);
    const weekAgo = async (fromMs: number, toMs: number) => {
      const { totalsWeekAgo } = await readTotals(connection, {
        fromMs,
        toMs,
        zone,
        lotteryNames: [],
      });
      return totalsWeekAgo!.flat().reduce((sum, events) => sum + events, 0);
    };
    const [fromMs, toMs] = [localDay("31", "+02:00"), Date.parse("2026-04-01T00:00+02:00")];
    assert.equal(await weekAgo(fromMs, toMs), 3, "the whole 24th");
    assert.equal(await weekAgo(fromMs, fromMs + HOUR_MS), 0, "168 hours before, the 23rd at 23:00");
    assert.equal(await weekAgo(fromMs + HOUR_MS, fromMs + 2 * HOUR_MS), 1);
  },
);

serverTest("there are no totals in a database without tables", ["postgres"], async () => {
  await using database = await createDatabase();
  assert.deepEqual(await readTotals(database.connection, { ...QUERY, lotteryNames: ["a"] }), {
    eventTypes: [],
    lotteryNames: ["a"],
    otherLotteries: 0,
    totals: [[0], [0]],
    totalsWeekAgo: null,
    isClosed: false,
    isWhole: true,
  });
});

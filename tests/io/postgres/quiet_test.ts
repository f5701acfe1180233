import assert from "node:assert/strict";
import type { QuietChange } from "../../../lib/core/quiet.ts";
import { forgetQuiet, judgeQuiet, type QuietOptions } from "../../../lib/io/postgres/quiet.ts";
import { Connection } from "../../../lib/io/postgres/session/connection.ts";
import { storeMinutes } from "../../support/minutes.ts";
import { createDatabase } from "../../support/postgres.ts";
import { serverTest } from "../../support/servers.ts";
import { openPostgresHarness, type PostgresHarness } from "./harness.ts";

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
const NOON_MS = Date.parse("2026-01-31T12:00Z");

const OPTIONS: QuietOptions = {
  types: ["pay"],
  minutes: 15,
  share: 0.2,
  minExpected: 20,
  zone: "UTC",
  maxDelayMs: 7 * MINUTE_MS,
};

interface Stand extends PostgresHarness {
  readonly url: string;
  /** Events of each of these minutes, counted from noon, in both types that the lottery has. */
  readonly store: (
    fromMinute: number,
    toMinute: number,
    perMinute: number,
    lotteryName?: string,
  ) => Promise<void>;
  /**
   * Judges when windows are closed up to a minute after noon, or at another minute; event time is two
   * minutes further. @returns what has changed, in words.
   */
  readonly judge: (
    closedMinute: number,
    options?: Partial<QuietOptions> & {
      readonly atMinute?: number;
      readonly lags?: boolean;
      /** When the last record arrived, if that was later. */
      readonly arrivedMinute?: number;
    },
  ) => Promise<string[]>;
}

/** Keno had two events a minute for two weeks, and mega_draw ten. */
async function openStand(): Promise<Stand> {
  const database = await createDatabase();
  const harness = await openPostgresHarness(
    database.url,
    () => database[Symbol.asyncDispose]() as Promise<void>,
  );
  const { connection, first } = harness;
  await first.positions(new Map([[0, 0], [1, 0]]));
  const time = (minute: number) => new Date(NOON_MS + minute * MINUTE_MS).toISOString();
  const store: Stand["store"] = async (fromMinute, toMinute, perMinute, lotteryName = "keno") => {
    const range = { from: time(fromMinute), to: time(toMinute), events: String(perMinute) };
    await storeMinutes(connection, { ...range, lotteryName });
    await storeMinutes(connection, { ...range, lotteryName, eventType: "clicked" });
  };
  for (const [lottery, perMinute] of [["keno", 2], ["mega_draw", 10]] as const) {
    await store(-14 * 24 * 60 - 90, 0, perMinute, lottery);
  }
  return {
    ...harness,
    url: database.url,
    store,
    judge: async (
      closedMinute,
      {
        atMinute = closedMinute + 2,
        lags = false,
        arrivedMinute = closedMinute + 2,
        ...options
      } = {},
    ) => {
      await connection.query({
        text: "update pipeline set closed_up_to = $1",
        values: [time(closedMinute)],
      });
      await connection.query({
        text: "update kafka_offsets set max_event_time = $1, caught_up_at = $2, updated_at = $3",
        values: [time(closedMinute + 2), lags ? null : time(atMinute), time(arrivedMinute)],
      });
      const atMs = NOON_MS + atMinute * MINUTE_MS;
      return (await judgeQuiet(connection, { ...OPTIONS, ...options, atMs })).map(inWords);
    },
  };
}

function inWords(
  { change, eventType, lotteryName, events, expected, weeks, sinceMs }: QuietChange,
) {
  const since = (sinceMs - NOON_MS) / MINUTE_MS;
  return lotteryName === ""
    ? `${change} since ${since}, ${expected} expected (${weeks})`
    : `${eventType} of ${lotteryName} ${change}: ${events} of ${expected} (${weeks}) since ${since}`;
}

serverTest(
  "a lottery is quiet below the share of what is expected, and no longer at twice of it",
  ["postgres"],
  async () => {
    await using stand = await openStand();
    const { connection, store, judge } = stand;
    await store(0, 60, 10, "mega_draw");
    assert.deepEqual(await judge(12), [], "6 of 30 are the share");
    assert.deepEqual(await judge(13), ["pay of keno is quiet: 4 of 30 (2) since -2"]);
    assert.deepEqual(await judge(14), []);
    assert.deepEqual(
      await connection.query({ text: "select * from quiet_lotteries" }),
      [{
        lottery_name: "keno",
        event_type: "pay",
        quiet_since: new Date(NOON_MS - 2 * MINUTE_MS),
        noticed_at: new Date(NOON_MS + 15 * MINUTE_MS),
        judged_from: new Date(NOON_MS - MINUTE_MS),
        judged_to: new Date(NOON_MS + 14 * MINUTE_MS),
        event_count: 2,
        expected_count: 30,
        weeks: 2,
      }],
    );
    await store(30, 60, 2);
    assert.deepEqual(await judge(35), [], "10 of 30 are the share, but not twice of it");
    assert.deepEqual(await judge(36), ["pay of keno is over: 12 of 30 (2) since -2"]);
    assert.deepEqual(await judge(37), []);
    assert.deepEqual(await connection.query({ text: "select from quiet_lotteries" }), []);
  },
);

serverTest(
  "those that are nearly quiet come with the first one, and those nearly back go with it",
  ["postgres"],
  async () => {
    await using stand = await openStand();
    const { store, judge } = stand;
    await store(1, 2, 20, "mega_draw");
    await store(20, 60, 2);
    assert.deepEqual(await judge(13), [
      "pay of mega_draw is quiet: 40 of 150 (2) since -2",
      "pay of keno is quiet: 4 of 30 (2) since -2",
    ]);
    await store(22, 60, 10, "mega_draw");
    assert.deepEqual(await judge(26), [
      "pay of mega_draw is over: 40 of 150 (2) since -2",
      "pay of keno is over: 12 of 30 (2) since -2",
    ]);
  },
);

serverTest("where little is expected, no lottery is quiet", ["postgres"], async () => {
  await using stand = await openStand();
  const { store, judge } = stand;
  assert.deepEqual(await judge(15, { minExpected: 31 }), [
    "pay of mega_draw is quiet: 0 of 150 (2) since 0",
  ]);
  // Chance does that more than once in ten million times: 0 of 16, and 2 of 22.
  assert.deepEqual(await judge(15, { minutes: 8, minExpected: 5 }), []);
  await store(5, 6, 2);
  assert.deepEqual(await judge(15, { minutes: 11 }), []);
  assert.deepEqual(await judge(18, { minutes: 13 }), [
    "pay of keno is quiet: 2 of 26 (2) since 5",
  ]);
});

serverTest("by one week alone, twice as much has to be expected", ["postgres"], async () => {
  await using stand = await openStand();
  const { connection, judge } = stand;
  await connection.query({
    text: "delete from lottery_hours where hour_start < $1",
    values: [new Date(NOON_MS - 8 * DAY_MS)],
  });
  assert.deepEqual(await judge(15), ["pay of mega_draw is quiet: 0 of 150 (1) since 0"]);
  assert.deepEqual(await judge(15, { minExpected: 15 }), [
    "pay of keno is quiet: 0 of 30 (1) since 0",
  ]);
});

serverTest(
  "a night does not end it, nor do a few events then",
  ["postgres"],
  async () => {
    await using stand = await openStand();
    const { connection, store, judge } = stand;
    assert.equal((await judge(15)).length, 2);
    // From half past twelve on nothing was expected.
    await connection.query({
      text: `
        delete from lottery_aggregates
        where window_start::time between '12:30' and '13:30' and lottery_name = 'keno'`,
    });
    await store(50, 51, 3);
    await store(40, 60, 10, "mega_draw");
    assert.deepEqual(await judge(55), ["pay of mega_draw is over: 150 of 150 (2) since 0"]);
    await store(51, 52, 5);
    assert.deepEqual(await judge(55), ["pay of keno is over: 8 of 0 (0) since 0"]);
  },
);

serverTest(
  "a lottery that has ended is told once, and forgotten when no week expects it",
  ["postgres"],
  async () => {
    await using stand = await openStand();
    const { connection, store, judge } = stand;
    await store(-28 * 24 * 60 - 90, -14 * 24 * 60 - 90, 2);
    const dayMinutes = 24 * 60;
    await store(0, 32 * dayMinutes, 10, "mega_draw");
    assert.deepEqual(await judge(15), ["pay of keno is quiet: 0 of 30 (4) since 0"]);
    for (let day = 1; day < 32; day += 0.5) {
      assert.deepEqual(await judge(day * dayMinutes + 15), [], `after ${day} days`);
      const listed = await connection.query({ text: "select lottery_name from quiet_lotteries" });
      assert.deepEqual(listed, day < 30 ? [{ lottery_name: "keno" }] : [], `after ${day} days`);
    }
  },
);

serverTest(
  "only what is asked for is judged, and what no longer is, is forgotten",
  ["postgres"],
  async () => {
    await using stand = await openStand();
    const { connection, judge } = stand;
    assert.deepEqual(await judge(15, { types: ["login"] }), []);
    assert.equal((await judge(15, { types: ["pay", "clicked"] })).length, 4);
    assert.deepEqual(await judge(15, { types: ["clicked"] }), []);
    const quiet = () => connection.query({ text: "select event_type from quiet_lotteries" });
    assert.deepEqual(await quiet(), [{ event_type: "clicked" }, { event_type: "clicked" }]);
    await forgetQuiet(connection);
    assert.deepEqual(await quiet(), []);
  },
);

serverTest("the range is one of whole windows", ["postgres"], async () => {
  await using stand = await openStand();
  const { connection, judge } = stand;
  await connection.query({ text: "update pipeline set window_seconds = 600" });
  assert.deepEqual(await judge(20), [
    "pay of mega_draw is quiet: 0 of 200 (2) since 0",
    "pay of keno is quiet: 0 of 40 (2) since 0",
  ]);
});

serverTest("of several workers, one is told of each change", ["postgres"], async () => {
  await using stand = await openStand();
  const { url, judge } = stand;
  await judge(5);
  const connections = [0, 1, 2, 3].map(() => new Connection(url));
  const atMs = NOON_MS + 17 * MINUTE_MS;
  await stand.connection.query({
    text: "update pipeline set closed_up_to = $1",
    values: [new Date(NOON_MS + 15 * MINUTE_MS)],
  });
  const told = await Promise.all(
    connections.map((each) => judgeQuiet(each, { ...OPTIONS, atMs })),
  );
  for (const each of connections) await each[Symbol.asyncDispose]();
  assert.deepEqual(told.map((changes) => changes.length).sort(), [0, 0, 0, 2]);
});

serverTest("of a lottery with many events the share alone decides", ["postgres"], async () => {
  await using stand = await openStand();
  const { store, judge } = stand;
  await store(0, 60, 2);
  await store(0, 3, 10, "mega_draw");
  assert.deepEqual(await judge(15), [], "30 of 150 are the share");
  assert.deepEqual(await judge(16), ["pay of mega_draw is quiet: 20 of 150 (2) since 1"]);
});

serverTest(
  "nothing is judged while closed windows are old, and event time that stands still is told once",
  ["postgres"],
  async () => {
    await using stand = await openStand();
    const { store, judge } = stand;
    await store(0, 2, 10, "mega_draw");
    await store(0, 2, 2);
    const standsStill = (atMinute: number, lags = false) => judge(0, { atMinute, lags });
    assert.deepEqual(await standsStill(17), [], "15 minutes");
    assert.deepEqual(await standsStill(18, true), [], "the workers are behind");
    const past = await judge(0, { atMinute: 18, arrivedMinute: 17 });
    assert.deepEqual(past, [], "the topic is filled with its past");
    // 24 events a minute of both lotteries in both types.
    assert.deepEqual(await standsStill(18), ["stands still since 2, 360 expected (2)"]);
    assert.deepEqual(await standsStill(19), []);
    assert.deepEqual(await standsStill(600), []);

    // They come again, and the quarter before them was not theirs.
    for (const minute of [601, 605, 614]) {
      await store(minute - 1, minute, 10, "mega_draw");
      assert.deepEqual(
        await judge(minute),
        minute === 601 ? ["moves again since 2, 0 expected (0)"] : [],
      );
    }
    assert.deepEqual(await judge(620), [
      "pay of mega_draw is quiet: 10 of 150 (2) since 605",
      "pay of keno is quiet: 0 of 30 (2) since 605",
    ]);

    // The next time it is told once, too.
    const again = await judge(620, { atMinute: 640 });
    assert.deepEqual(again, ["stands still since 622, 360 expected (2)"]);
    assert.deepEqual(await judge(620, { atMinute: 641 }), []);
  },
);

serverTest("while the workers are behind, no lottery is judged", ["postgres"], async () => {
  await using stand = await openStand();
  const { judge } = stand;
  assert.deepEqual(await judge(15, { atMinute: 23, lags: true }), []);
  assert.equal((await judge(15, { atMinute: 22, lags: true })).length, 2);
});

serverTest("where nothing is expected, event time may stand still", ["postgres"], async () => {
  await using stand = await openStand();
  const { connection, judge } = stand;
  assert.deepEqual(await judge(0, { atMinute: 18, minExpected: 361 }), []);
  await connection.query({ text: "truncate lottery_aggregates, lottery_hours" });
  assert.deepEqual(await judge(0, { atMinute: 18 }), []);
  await connection.query({
    text: "update pipeline set closed_up_to = null",
  });
  assert.deepEqual(await judgeQuiet(connection, OPTIONS), []);
});

serverTest(
  "event time that stands still since a time at which nothing is expected is told once something is",
  ["postgres"],
  async () => {
    await using stand = await openStand();
    const { connection, judge } = stand;
    // Nobody bought from noon to six o'clock in the weeks before.
    for (const [table, start] of [["aggregates", "window"], ["hours", "hour"]]) {
      await connection.query({
        text: `
          delete from lottery_${table}
          where ${start}_start at time zone 'UTC' >= '2026-01-17'
            and (${start}_start at time zone 'UTC')::time >= '12:00'
            and (${start}_start at time zone 'UTC')::time < '18:00'`,
      });
    }
    const standsStill = (atMinute: number) => judge(0, { atMinute });
    for (const atMinute of [18, 60, 360, 361]) assert.deepEqual(await standsStill(atMinute), []);
    // 24 events a minute of both lotteries in both types, of the first minute that has passed.
    assert.deepEqual(await standsStill(362), ["stands still since 2, 24 expected (2)"]);
  },
);

serverTest(
  "that event time stands still is forgotten while nothing is judged, and told when it is again",
  ["postgres"],
  async () => {
    await using stand = await openStand();
    const { connection, store, judge } = stand;
    const standsStill = (atMinute: number) => judge(0, { atMinute });
    assert.deepEqual(await standsStill(18), ["stands still since 2, 360 expected (2)"]);
    await forgetQuiet(connection);
    assert.deepEqual(await standsStill(19), ["stands still since 2, 360 expected (2)"]);
    await forgetQuiet(connection);
    for (const lottery of ["keno", "mega_draw"]) await store(0, 120, 10, lottery);
    assert.deepEqual(await judge(100), [], "it moved while nothing was judged");
  },
);

serverTest("windows that are still to come are not judged", ["postgres"], async () => {
  await using stand = await openStand();
  const { judge } = stand;
  // Clocks that are four minutes ahead have closed the windows from noon on.
  const ahead = { atMinute: 0, minExpected: 4 };
  assert.deepEqual(await judge(4, { ...ahead, minutes: 4 }), []);
  assert.deepEqual(await judge(4, { ...ahead, atMinute: 4, minutes: 4 }), [
    "pay of mega_draw is quiet: 0 of 40 (2) since 0",
    "pay of keno is quiet: 0 of 8 (2) since 0",
  ]);
});

serverTest(
  "event time that stands still does not move again because the counts were reset",
  ["postgres"],
  async () => {
    await using stand = await openStand();
    const { connection, judge } = stand;
    assert.deepEqual(await judge(0, { atMinute: 18 }), ["stands still since 2, 360 expected (2)"]);
    await connection.query({ text: "update kafka_offsets set max_event_time = null" });
    const atMs = NOON_MS + 20 * MINUTE_MS;
    assert.deepEqual(await judgeQuiet(connection, { ...OPTIONS, atMs }), []);
    await connection.query({ text: "truncate kafka_offsets" });
    assert.deepEqual(await judgeQuiet(connection, { ...OPTIONS, atMs }), []);
    await stand.first.positions(new Map([[0, 0], [1, 0]]));
    assert.deepEqual(await judge(30), ["moves again since 2, 0 expected (0)"]);
  },
);

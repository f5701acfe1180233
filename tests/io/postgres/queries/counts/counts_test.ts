import assert from "node:assert/strict";
import fc from "fast-check";
import type { WindowCount } from "../../../../../lib/core/windowing/window.ts";
import type {
  CountKey,
  CountRow,
  CountsQuery,
} from "../../../../../lib/io/postgres/queries/counts/query.ts";
import { readCounts } from "../../../../../lib/io/postgres/queries/counts/counts.ts";
import type { Connection } from "../../../../../lib/io/postgres/session/connection.ts";
import { setEventTime, storeCounts } from "../../../../support/counted.ts";
import { createDatabase } from "../../../../support/postgres.ts";
import { serverTest } from "../../../../support/servers.ts";
import { openPostgresHarness } from "../../harness.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const NOON_MS = Date.UTC(2026, 0, 1, 12);

async function openHarness() {
  const database = await createDatabase();
  const release = async () => await database[Symbol.asyncDispose]();
  return await openPostgresHarness(database.url, release);
}

const QUERY: CountsQuery = {
  fromMs: NOON_MS,
  toMs: NOON_MS + HOUR_MS,
  stepSeconds: 60,
  zone: "UTC",
  lotteryNames: [],
  eventTypes: [],
  after: null,
  limit: 100,
};

interface AllPages {
  readonly rows: readonly CountRow[];
  readonly pages: number;
}

/** All pages; each ends as soon as it can, so that there are as many as possible. */
async function readAll(connection: Connection, query: CountsQuery): Promise<AllPages> {
  const rows: CountRow[] = [];
  let after: CountKey | null = query.after;
  for (let pages = 1;; pages++) {
    const page = await readCounts(connection, { ...query, after }, 0);
    assert.ok(page.rows.length <= query.limit);
    rows.push(...page.rows);
    if (page.next === null) return { rows, pages };
    after = page.next;
  }
}

function pay(windowStartMs: number, lotteryName = "a", count = 1): WindowCount {
  return { windowStartMs, lotteryName, eventType: "pay", count };
}

serverTest(
  "readCounts() gives the windows that start in the range, ordered",
  ["postgres"],
  async () => {
    await using harness = await openHarness();
    const { connection } = harness;
    const counts = [0, 1, 2, 3].flatMap((minute) =>
      ["b", "a"].map((lotteryName) => pay(NOON_MS + minute * MINUTE_MS, lotteryName, minute + 1))
    );
    await storeCounts(connection, counts);
    await setEventTime(connection, { watermarkMs: NOON_MS, closedUpToMs: NOON_MS + 2 * MINUTE_MS });
    const read = async (changes: Partial<CountsQuery>) => {
      // In the middle of a window: neither the one before belongs to it, nor the last.
      const [fromMs, toMs] = [NOON_MS + 1, NOON_MS + 3 * MINUTE_MS];
      const page = await readCounts(connection, { ...QUERY, fromMs, toMs, ...changes });
      return page.rows.map((row) => [
        (row.startMs - NOON_MS) / MINUTE_MS,
        row.lotteryName,
        row.count,
        row.isClosed,
      ]);
    };
    const all = [[1, "a", 2, true], [1, "b", 2, true], [2, "a", 3, false], [2, "b", 3, false]];
    assert.deepEqual(await read({}), all);
    assert.deepEqual(await read({ limit: 3 }), all.slice(0, 3));
    assert.deepEqual(await read({ lotteryNames: ["b"] }), [all[1], all[3]]);
    assert.deepEqual(await read({ lotteryNames: ["c", "b"] }), [all[1], all[3]]);
    assert.deepEqual(await read({ lotteryNames: ["c"] }), []);
    assert.deepEqual(await read({ eventTypes: ["pay"] }), all);
    assert.deepEqual(await read({ eventTypes: ["click"] }), []);
  },
);

serverTest("readCounts() joins windows into buckets of a step", ["postgres"], async () => {
  await using harness = await openHarness();
  const { connection } = harness;
  await storeCounts(connection, [
    ...[0, 1, 4, 5, 65].map((minute) => pay(NOON_MS + minute * MINUTE_MS)),
    pay(NOON_MS + MINUTE_MS, "b", 7),
  ]);
  await setEventTime(connection, { watermarkMs: NOON_MS, closedUpToMs: NOON_MS + HOUR_MS });
  const read = async (stepSeconds: number) => {
    const { rows } = await readAll(connection, {
      ...QUERY,
      fromMs: NOON_MS - DAY_MS,
      toMs: NOON_MS + DAY_MS,
      stepSeconds,
    });
    return rows.map((row) => [
      (row.startMs - NOON_MS) / MINUTE_MS,
      (row.endMs - NOON_MS) / MINUTE_MS,
      row.lotteryName,
      row.count,
      row.isClosed,
    ]);
  };
  assert.deepEqual(await read(300), [
    [0, 5, "a", 3, true],
    [0, 5, "b", 7, true],
    [5, 10, "a", 1, true],
    [65, 70, "a", 1, false],
  ]);
  assert.deepEqual(await read(3_600), [
    [0, 60, "a", 4, true],
    [0, 60, "b", 7, true],
    [60, 120, "a", 1, false],
  ]);
});

serverTest(
  "the last bucket is whole, although the range ends within it",
  ["postgres"],
  async () => {
    await using harness = await openHarness();
    const { connection } = harness;
    await storeCounts(connection, [pay(NOON_MS + 11 * HOUR_MS + 59 * MINUTE_MS)]);
    for (
      const [stepSeconds, fromMs] of [[21_600, NOON_MS + 6 * HOUR_MS], [
        86_400,
        NOON_MS - DAY_MS / 2,
      ]] as const
    ) {
      const query = { ...QUERY, stepSeconds, fromMs, toMs: fromMs + MINUTE_MS };
      assert.deepEqual((await readAll(connection, query)).rows.map((row) => row.startMs), [fromMs]);
    }
  },
);

const NAMES = ["a", "b", "é"];
const TYPES = ["click", "pay"];

const countsOfThreeDays = fc.uniqueArray(
  fc.record({
    windowStartMs: fc.integer({ min: 0, max: 3 * 24 * 60 - 1 }).map((minute) =>
      NOON_MS + minute * MINUTE_MS
    ),
    lotteryName: fc.constantFrom(...NAMES),
    eventType: fc.constantFrom(...TYPES),
    count: fc.integer({ min: 1, max: 9 }),
  }),
  { maxLength: 60, selector: (count) => JSON.stringify([...Object.values(count)].slice(0, 3)) },
);

const queries = fc.record({
  fromMs: fc.integer({ min: -60, max: 24 * 60 }).map((minute) => NOON_MS + minute * MINUTE_MS),
  toMs: fc.integer({ min: 24 * 60 + 1, max: 5 * 24 * 60 }).map((minute) =>
    NOON_MS + minute * MINUTE_MS
  ),
  stepSeconds: fc.constantFrom(60, 300, 900, 3_600, 21_600, 86_400),
  zone: fc.constantFrom("UTC", "Asia/Kolkata"),
  lotteryNames: fc.subarray(NAMES),
  eventTypes: fc.subarray(TYPES),
  limit: fc.integer({ min: 1, max: 7 }),
});

/** Minutes by which days begin before midnight of UTC. */
const AHEAD: Readonly<Record<string, number>> = { "UTC": 0, "Asia/Kolkata": 330 };

/** The same by plain arithmetic: each row as `start/lottery/type`, with its events. */
function bucketsOf(
  counts: readonly WindowCount[],
  { fromMs, toMs, stepSeconds, zone, lotteryNames, eventTypes }: Omit<CountsQuery, "after">,
): Map<string, number> {
  const stepMs = stepSeconds * 1000;
  const aheadMs = stepSeconds === 86_400 ? AHEAD[zone]! * MINUTE_MS : 0;
  const sums = new Map<string, number>();
  for (const { windowStartMs, lotteryName, eventType, count } of counts) {
    const startMs = Math.floor((windowStartMs + aheadMs) / stepMs) * stepMs - aheadMs;
    if (startMs < fromMs || startMs >= toMs) continue;
    if (lotteryNames.length > 0 && !lotteryNames.includes(lotteryName)) continue;
    if (eventTypes.length > 0 && !eventTypes.includes(eventType)) continue;
    const key = `${startMs}/${lotteryName}/${eventType}`;
    sums.set(key, (sums.get(key) ?? 0) + count);
  }
  return sums;
}

serverTest(
  "all pages together have each row once, in order, however they are cut",
  ["postgres"],
  async () => {
    await using harness = await openHarness();
    const { connection } = harness;
    await fc.assert(
      fc.asyncProperty(
        countsOfThreeDays,
        queries,
        fc.option(fc.integer({ min: 0, max: 72 })),
        async (counts, query, hoursFrom) => {
          await connection.query({ text: "truncate lottery_aggregates, lottery_hours" });
          await storeCounts(connection, counts);
          // While a database is being filled, older windows are in no hour.
          const filledFrom = hoursFrom === null ? null : new Date(NOON_MS + hoursFrom * HOUR_MS);
          await connection.query({
            text: "update pipeline set hours_from = $1",
            values: [filledFrom],
          });
          await connection.query({
            text: "delete from lottery_hours where hour_start < $1",
            values: [filledFrom],
          });
          const { rows } = await readAll(connection, { ...query, after: null });
          const keys = rows.map((row) => `${row.startMs}/${row.lotteryName}/${row.eventType}`);
          assert.deepEqual(keys, keys.toSorted(), "as they are ordered");
          assert.equal(new Set(keys).size, keys.length, "no row twice");
          const sums = new Map(rows.map((row, at) => [keys[at]!, row.count]));
          assert.deepEqual(sums, new Map([...bucketsOf(counts, query)].toSorted()));
        },
      ),
      { numRuns: 200 },
    );
  },
);

serverTest("a count that comes between two pages moves no other row", ["postgres"], async () => {
  await using harness = await openHarness();
  const { connection } = harness;
  for (const stepSeconds of [60, 300, 3_600]) {
    await connection.query({ text: "truncate lottery_aggregates, lottery_hours" });
    await storeCounts(connection, ["b", "c", "d"].map((name) => pay(NOON_MS, name)));
    const query = { ...QUERY, stepSeconds, limit: 2 };
    const first = await readCounts(connection, query);
    await storeCounts(connection, [pay(NOON_MS, "a"), pay(NOON_MS, "e")]); // before and behind it
    const second = await readCounts(connection, { ...query, after: first.next });
    const names = [first, second].map(({ rows }) => rows.map((row) => row.lotteryName));
    assert.deepEqual(names, [["b", "c"], ["d", "e"]]);
    assert.equal(second.next, null);
  }
});

serverTest(
  "a page is as long as its time lasts, and nobody waits for a gap",
  ["postgres"],
  async () => {
    await using harness = await openHarness();
    const { connection } = harness;
    const years = 50 * 365 * DAY_MS;
    await storeCounts(connection, [pay(NOON_MS - years), pay(NOON_MS), pay(NOON_MS, "b")]);
    const query = { ...QUERY, fromMs: NOON_MS - 2 * years, toMs: NOON_MS + years };
    for (const stepSeconds of [60, 300, 3_600, 86_400, 7 * 86_400]) {
      const all = await readAll(connection, { ...query, stepSeconds });
      assert.equal(all.rows.length, 3);
      assert.ok(all.pages < 20, `${stepSeconds} s: ${all.pages} pages`);
      const lotteryNames = ["b"];
      const { rows, pages } = await readAll(connection, { ...query, stepSeconds, lotteryNames });
      assert.equal(rows.length, 1);
      assert.ok(pages < 20, `${stepSeconds} s of one lottery: ${pages} pages`);
      const none = { ...query, stepSeconds, lotteryNames: ["nobody"] };
      assert.deepEqual((await readAll(connection, none)).pages, 1);
    }
  },
);

serverTest("days are as long as the zone's calendar has them", ["postgres"], async () => {
  await using harness = await openHarness();
  const { connection } = harness;
  const minutes = (from: string, to: string) =>
    Array.from(
      { length: (Date.parse(to) - Date.parse(from)) / (30 * MINUTE_MS) },
      (_, at) => pay(Date.parse(from) + at * 30 * MINUTE_MS),
    );
  await storeCounts(connection, [
    ...minutes("2026-03-27T00:00Z", "2026-04-01T00:00Z"),
    ...minutes("2026-10-23T00:00Z", "2026-10-28T00:00Z"),
  ]);
  const days = async (zone: string, from: string, to: string, stepSeconds = 86_400) => {
    const [fromMs, toMs] = [Date.parse(from), Date.parse(to)];
    const query = { ...QUERY, fromMs, toMs, stepSeconds, zone };
    const { rows } = await readAll(connection, query);
    return rows.map((row) => [
      new Date(row.startMs).toISOString().slice(0, 16),
      (row.endMs - row.startMs) / HOUR_MS,
      row.count,
    ]);
  };
  assert.deepEqual(await days("Europe/Berlin", "2026-03-27T23:00Z", "2026-03-31T00:00+02:00"), [
    ["2026-03-27T23:00", 24, 48],
    ["2026-03-28T23:00", 23, 46],
    ["2026-03-29T22:00", 24, 48],
  ]);
  assert.deepEqual(
    await days("Europe/Berlin", "2026-10-24T00:00+02:00", "2026-10-27T00:00+01:00"),
    [
      ["2026-10-23T22:00", 24, 48],
      ["2026-10-24T22:00", 25, 50],
      ["2026-10-25T23:00", 24, 48],
    ],
  );
  assert.deepEqual(await days("Asia/Kolkata", "2026-03-28T00:00Z", "2026-03-30T00:00Z"), [
    ["2026-03-28T18:30", 24, 48],
    ["2026-03-29T18:30", 24, 48],
  ]);
  // From Monday to Monday, an hour shorter.
  assert.deepEqual(
    await days("Europe/Berlin", "2026-03-22T00:00Z", "2026-03-29T00:00Z", 7 * 86_400),
    [["2026-03-22T23:00", 7 * 24 - 1, 2 * (2 * 24 + 22)]],
  );
});

serverTest("readCounts() says since when buckets of the step are kept", ["postgres"], async () => {
  await using harness = await openHarness();
  const { connection } = harness;
  const kept = async (stepSeconds: number, zone = "UTC") => {
    const { keptFromMs } = await readCounts(connection, { ...QUERY, stepSeconds, zone });
    return keptFromMs;
  };
  for (const step of [60, 3_600, 86_400]) assert.equal(await kept(step), null);
  const [windowsMs, hoursMs] = [NOON_MS - DAY_MS, NOON_MS - 10 * DAY_MS];
  await connection.query({
    text: "update pipeline set aggregates_horizon = $1",
    values: [new Date(windowsMs)],
  });
  assert.deepEqual([await kept(60), await kept(3_600)], [windowsMs, null]);
  await connection.query({
    text: "update pipeline set hours_horizon = $1",
    values: [new Date(hoursMs)],
  });
  for (const step of [60, 300, 900, 5_400]) assert.equal(await kept(step), windowsMs);
  for (const step of [3_600, 21_600, 86_400, 7 * 86_400]) assert.equal(await kept(step), hoursMs);
  assert.equal(await kept(86_400, "Europe/Berlin"), hoursMs);
  assert.equal(await kept(86_400, "Asia/Kolkata"), windowsMs);
  assert.equal(await kept(86_400, "Australia/Lord_Howe"), windowsMs, "half an hour off in winter");
  assert.equal(await kept(3_600, "Asia/Kolkata"), hoursMs, "hours are those of UTC");
});

serverTest("hours outlive their windows", ["postgres"], async () => {
  await using harness = await openHarness();
  const { connection } = harness;
  await storeCounts(connection, [0, 1, 2].map((hour) => pay(NOON_MS + hour * HOUR_MS)));
  await harness.setHorizon(NOON_MS + 90 * MINUTE_MS);
  await connection.query({
    text: "delete from lottery_aggregates where window_start < $1",
    values: [new Date(NOON_MS + 90 * MINUTE_MS)],
  });
  const hours = async (stepSeconds: number, lotteryNames: readonly string[] = []) => {
    const toMs = NOON_MS + DAY_MS;
    const { rows } = await readAll(connection, { ...QUERY, toMs, stepSeconds, lotteryNames });
    return rows.map(({ startMs }) => (startMs - NOON_MS) / HOUR_MS);
  };
  for (const lotteryNames of [[], ["a"]]) {
    assert.deepEqual(await hours(60, lotteryNames), [2]);
    assert.deepEqual(await hours(300, lotteryNames), [2]);
    assert.deepEqual(await hours(3_600, lotteryNames), [0, 1, 2]);
  }
});

serverTest("nothing is read from a database without tables", ["postgres"], async () => {
  await using database = await createDatabase();
  assert.deepEqual(await readCounts(database.connection, QUERY), {
    rows: [],
    next: null,
    keptFromMs: null,
  });
});

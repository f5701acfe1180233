import assert from "node:assert/strict";
import { readCounts, searchLotteries } from "../../../../lib/io/postgres/queries/counts.ts";
import { readLetters } from "../../../../lib/io/postgres/queries/newest_dead_letters.ts";
import { setEventTime, storeCounts } from "../../../support/counted.ts";
import { createDatabase } from "../../../support/postgres.ts";
import { serverTest } from "../../../support/servers.ts";
import { commitOf } from "../../../support/sink_contract.ts";
import { openPostgresHarness } from "../harness.ts";

const MINUTE_MS = 60_000;
const NOON_MS = Date.UTC(2026, 0, 1, 12);

async function openHarness() {
  const database = await createDatabase();
  const release = async () => await database[Symbol.asyncDispose]();
  return await openPostgresHarness(database.url, release);
}

serverTest(
  "readCounts() gives the windows that start in the range, ordered",
  ["postgres"],
  async () => {
    await using harness = await openHarness();
    const { connection } = harness;
    const counts = [0, 1, 2, 3].flatMap((minute) =>
      ["b", "a"].map((lotteryName) => ({
        windowStartMs: NOON_MS + minute * MINUTE_MS,
        lotteryName,
        eventType: "pay",
        count: minute + 1,
      }))
    );
    await storeCounts(connection, counts);
    await setEventTime(connection, { watermarkMs: NOON_MS, closedUpToMs: NOON_MS + 2 * MINUTE_MS });
    const read = async (lotteryName: string | null, limit = 100) => {
      // In the middle of a window: neither the one before belongs to it, nor the last.
      const [fromMs, toMs] = [NOON_MS + 1, NOON_MS + 3 * MINUTE_MS];
      const rows = await readCounts(connection, { fromMs, toMs, lotteryName, limit });
      return rows.map((row) => [
        (row.windowStartMs - NOON_MS) / MINUTE_MS,
        row.lotteryName,
        row.count,
        row.isClosed,
      ]);
    };
    const all = [[1, "a", 2, true], [1, "b", 2, true], [2, "a", 3, false], [2, "b", 3, false]];
    assert.deepEqual(await read(null), all);
    assert.deepEqual(await read(null, 3), all.slice(0, 3));
    assert.deepEqual(await read("b"), [all[1], all[3]]);
    assert.deepEqual(await read("c"), []);
  },
);

serverTest(
  "readLetters() gives the newest, with the first bytes of what they hold",
  ["postgres"],
  async () => {
    await using harness = await openHarness();
    const { connection, first } = harness;
    await first.positions(new Map([[0, 0]]));
    const deadLetters = [1, 2].map((offset) => ({
      partition: 0,
      offset,
      reason: "not_json" as const,
      recordTimestampMs: offset === 1 ? -1 : NOON_MS,
      key: null,
      value: new Uint8Array([0xff, 0, 1, 2, 3, 4]),
      headers: [],
      cut: null,
    }));
    await first.commit(commitOf([[0, 0, 3]], { deadLetters }));
    const letters = await readLetters(connection, { limit: 5, headBytes: 4 });
    assert.deepEqual(letters.map(({ offset }) => offset), [2, 1]);
    assert.deepEqual(letters.map(({ recordTimestampMs }) => recordTimestampMs), [NOON_MS, null]);
    const [{ key, value }] = letters as [typeof letters[0]];
    assert.equal(key, null);
    assert.deepEqual([value!.length, [...value!.head]], [6, [0xff, 0, 1, 2]]);
    assert.equal((await readLetters(connection, { limit: 1, headBytes: 4 })).length, 1);
  },
);

serverTest(
  "searchLotteries() finds names by any part of them: the whole first, the beginning, the busiest",
  ["postgres"],
  async () => {
    await using harness = await openHarness();
    const { connection } = harness;
    const names = ["Mega_Draw", "mega 100%", "omega", "O'Mega\\n", "rare", "<b>", "lötto"];
    await storeCounts(
      connection,
      names.flatMap((lotteryName, at) =>
        [0, 1].map((minute) => ({
          windowStartMs: NOON_MS - (at * 1_000 + minute) * MINUTE_MS, // long ago, some of them
          lotteryName,
          eventType: "pay",
          count: at + 1,
        }))
      ),
    );
    const search = (text: string, limit = 100) => searchLotteries(connection, { text, limit });
    assert.deepEqual(await search("MEGA"), ["mega 100%", "Mega_Draw", "O'Mega\\n", "omega"]);
    assert.deepEqual(await search("MEGA", 1), ["mega 100%"]);
    assert.deepEqual(await search("omega", 1), ["omega"], "whoever is called so is in the answer");
    assert.deepEqual(await search(""), names.toReversed());
    assert.deepEqual(await search("_"), ["Mega_Draw"], "no pattern");
    assert.deepEqual(await search("%"), ["mega 100%"]);
    assert.deepEqual(await search("\\"), ["O'Mega\\n"]);
    assert.deepEqual(await search("'; drop table pipeline; --"), []);
  },
);

serverTest("nothing is read from a database without tables", ["postgres"], async () => {
  await using database = await createDatabase();
  const { connection } = database;
  assert.deepEqual(await readLetters(connection, { limit: 1, headBytes: 4 }), []);
  assert.deepEqual(await searchLotteries(connection, { text: "", limit: 1 }), []);
  const query = { fromMs: 0, toMs: 1, lotteryName: null, limit: 1 };
  assert.deepEqual(await readCounts(connection, query), []);
});

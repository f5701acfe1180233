import assert from "node:assert/strict";
import { searchLotteries } from "../../../../lib/io/postgres/queries/lotteries.ts";
import { storeCounts } from "../../../support/counted.ts";
import { createDatabase } from "../../../support/postgres.ts";
import { serverTest } from "../../../support/servers.ts";
import { openPostgresHarness } from "../harness.ts";

const MINUTE_MS = 60_000;
const NOON_MS = Date.UTC(2026, 0, 1, 12);

async function openHarness() {
  const database = await createDatabase();
  const release = async () => await database[Symbol.asyncDispose]();
  return await openPostgresHarness(database.url, release);
}

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
    assert.deepEqual(
      await search("omega", 1),
      ["omega"],
      "the one that is called so is in the answer",
    );
    assert.deepEqual(await search(""), names.toReversed());
    assert.deepEqual(await search("_"), ["Mega_Draw"], "no pattern");
    assert.deepEqual(await search("%"), ["mega 100%"]);
    assert.deepEqual(await search("\\"), ["O'Mega\\n"]);
    assert.deepEqual(await search("'; drop table pipeline; --"), []);
  },
);

serverTest(
  "searchLotteries() finds names that were last counted long ago",
  ["postgres"],
  async () => {
    await using harness = await openHarness();
    const { connection } = harness;
    await storeCounts(connection, [
      { windowStartMs: NOON_MS - 1e6 * MINUTE_MS, lotteryName: "old", eventType: "pay", count: 9 },
      { windowStartMs: NOON_MS, lotteryName: "cold", eventType: "pay", count: 1 },
    ]);
    // So many rows in newer hours that the old one is not among the recent ones.
    await connection.query({
      text: `
        insert into lottery_hours
        select to_timestamp($1::bigint / 1000) + n % 100 * interval '1 hour', 'other ' || n, 'pay', 1
        from generate_series(1, 20000) n`,
      values: [NOON_MS],
    });
    const search = (text: string) => searchLotteries(connection, { text, limit: 100 });
    assert.deepEqual(await search("old"), ["old", "cold"]);
    assert.deepEqual(await search("cold"), ["cold"]);
  },
);

serverTest("no lottery is found in a database without tables", ["postgres"], async () => {
  await using database = await createDatabase();
  assert.deepEqual(await searchLotteries(database.connection, { text: "", limit: 1 }), []);
});

import assert from "node:assert/strict";
import { readLetters } from "../../../../lib/io/postgres/queries/newest_dead_letters.ts";
import { createDatabase } from "../../../support/postgres.ts";
import { serverTest } from "../../../support/servers.ts";
import { commitOf } from "../../../support/sink_contract.ts";
import { openPostgresHarness } from "../harness.ts";

const NOON_MS = Date.UTC(2026, 0, 1, 12);

async function openHarness() {
  const database = await createDatabase();
  const release = async () => await database[Symbol.asyncDispose]();
  return await openPostgresHarness(database.url, release);
}

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

serverTest("no dead letter is read from a database without tables", ["postgres"], async () => {
  await using database = await createDatabase();
  assert.deepEqual(await readLetters(database.connection, { limit: 1, headBytes: 4 }), []);
});

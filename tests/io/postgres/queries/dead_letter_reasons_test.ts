import assert from "node:assert/strict";
import { readReasons } from "../../../../lib/io/postgres/queries/dead_letter_reasons.ts";
import type { Connection } from "../../../../lib/io/postgres/session/connection.ts";
import { createDatabase } from "../../../support/postgres.ts";
import { serverTest } from "../../../support/servers.ts";
import { openPostgresHarness } from "../harness.ts";

const NOON_MS = Date.UTC(2026, 0, 1, 12);
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

async function openHarness() {
  const database = await createDatabase();
  const release = async () => await database[Symbol.asyncDispose]();
  return await openPostgresHarness(database.url, release);
}

/** Letters by the time of their receipt. */
async function storeLetters(
  connection: Connection,
  letters: readonly (readonly [receivedMs: number, reason: string, isReplayed?: boolean])[],
): Promise<void> {
  await connection.query({
    text: `
      insert into dead_letters
        (topic, partition, kafka_offset, reason, headers, received_at, replayed_at)
      select 'user-events', 0, row_number() over (), reason, '[]', received_at,
        case when is_replayed then received_at end
      from unnest($1::timestamptz[], $2::text[], $3::boolean[])
        as letters (received_at, reason, is_replayed)`,
    values: [
      letters.map(([receivedMs]) => new Date(receivedMs)),
      letters.map(([, reason]) => reason),
      letters.map(([, , isReplayed = false]) => isReplayed),
    ],
  });
}

serverTest("readReasons() counts the letters of each bar by reason", ["postgres"], async () => {
  await using harness = await openHarness();
  const { connection } = harness;
  await storeLetters(connection, [
    [NOON_MS - 1, "not_utf8"],
    [NOON_MS, "not_json"],
    [NOON_MS + 1, "not_json", true],
    [NOON_MS + 1, "not_utf8"],
    [NOON_MS + 11 * MINUTE_MS, "not_json"],
    [NOON_MS + 15 * MINUTE_MS, "not_json"],
  ]);
  const { bars, totals } = await readReasons(connection, {
    fromMs: NOON_MS + MINUTE_MS, // within the first bar, which is counted as a whole
    toMs: NOON_MS + 11 * MINUTE_MS,
    stepSeconds: 300,
    zone: "UTC",
  });
  assert.deepEqual(
    bars.map(({ startMs, endMs, reasons }) => [startMs - NOON_MS, endMs - startMs, [...reasons]]),
    [
      [0, 5 * MINUTE_MS, [["not_json", 2], ["not_utf8", 1]]],
      [5 * MINUTE_MS, 5 * MINUTE_MS, []],
      [10 * MINUTE_MS, 5 * MINUTE_MS, [["not_json", 1]]],
    ],
  );
  assert.deepEqual(totals, [
    { reason: "not_json", records: 3, replayed: 1 },
    { reason: "not_utf8", records: 1, replayed: 0 },
  ]);
});

serverTest("bars of days follow the zone's calendar", ["postgres"], async () => {
  await using harness = await openHarness();
  const { connection } = harness;
  const fromMs = Date.parse("2026-10-24T00:00+02:00");
  const halfHours = Array.from({ length: 97 * 2 }, (_, at) => fromMs + at * 30 * MINUTE_MS);
  await storeLetters(connection, halfHours.map((ms) => [ms, "not_json"]));
  const days = async (zone: string, toMs: number) => {
    const { bars } = await readReasons(connection, { fromMs, toMs, stepSeconds: 86_400, zone });
    return bars.map(({ startMs, endMs, reasons }) => [
      (startMs - fromMs) / HOUR_MS,
      (endMs - startMs) / HOUR_MS,
      reasons.get("not_json"),
    ]);
  };
  assert.deepEqual(await days("Europe/Berlin", fromMs + 73 * HOUR_MS), [
    [0, 24, 48],
    [24, 25, 50],
    [49, 24, 48],
  ]);
  assert.deepEqual(await days("Asia/Kolkata", fromMs + 24 * HOUR_MS), [
    [-3.5, 24, 41],
    [20.5, 24, 48],
  ]);
});

serverTest("there are no reasons in a database without tables", ["postgres"], async () => {
  await using database = await createDatabase();
  const query = { fromMs: NOON_MS, toMs: NOON_MS + HOUR_MS, stepSeconds: 60, zone: "UTC" };
  assert.deepEqual(await readReasons(database.connection, query), { bars: [], totals: [] });
});

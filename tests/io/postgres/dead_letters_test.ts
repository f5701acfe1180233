import assert from "node:assert/strict";
import { type DeadLetterFilter, DeadLetterStore } from "../../../lib/io/postgres/dead_letters.ts";
import { claimPipeline } from "../../../lib/io/postgres/identity.ts";
import { migrate } from "../../../lib/io/postgres/schema/migrate.ts";
import { Connection } from "../../../lib/io/postgres/session/connection.ts";
import { eventually } from "../../support/eventually.ts";
import { createDatabase } from "../../support/postgres.ts";
import { serverTest } from "../../support/servers.ts";
import { IDENTITY, ORIGIN } from "./harness.ts";

const NOON = Date.UTC(2026, 0, 31, 12);
const HOUR_MS = 3_600_000;

/** Which of the letters below each filter lets through, as `partition/offset`, the newest first. */
const FILTERS: readonly (readonly [name: string, Partial<DeadLetterFilter>, string[]])[] = [
  ["nothing", {}, ["1/8", "1/7", "0/6", "0/5"]],
  ["a reason", { reason: "not_json" }, ["1/7", "0/5"]],
  ["a partition", { partition: 1 }, ["1/8", "1/7"]],
  ["a range of offsets", { fromOffset: 6, toOffset: 7 }, ["1/7", "0/6"]],
  ["times of receipt", { sinceMs: NOON + HOUR_MS, untilMs: NOON + 3 * HOUR_MS }, ["1/7", "0/6"]],
  ["all of it", { reason: "tombstone", partition: 0, fromOffset: 6, sinceMs: NOON }, ["0/6"]],
  ["those that were replayed", { isReplayed: true }, ["1/9"]],
];

serverTest(
  "DeadLetterStore finds the letters of one topic by each filter",
  ["postgres"],
  async () => {
    await using database = await createDatabase();
    const { connection } = database;
    await migrate(connection);
    await connection.query({
      text: `
      insert into dead_letters (topic, partition, kafka_offset, reason, headers, received_at, replayed_at, replayed_value)
      select
        topic, case when n < 7 then 0 else 1 end, n,
        case when n % 2 = 1 then 'not_json' else 'tombstone' end, '[]',
        $1::timestamptz + (n - 5) * interval '1 hour',
        case when n = 9 then now() end, case when n = 9 then '{}'::bytea end
      from generate_series(5, 9) as n, unnest(array['events', 'events (epoch 1)']) as topic`,
      values: [new Date(NOON)],
    });
    const store = new DeadLetterStore(connection, "events");
    for (const [name, filter, expected] of FILTERS) {
      const found = await store.find({ isReplayed: false, ...filter }, 10);
      assert.deepEqual(
        found.map(({ partition, offset }) => `${partition}/${offset}`),
        expected,
        name,
      );
    }
    const newest = await store.find({ isReplayed: false }, 2);
    assert.deepEqual(newest.map(({ offset }) => offset), [8, 7]);
  },
);

serverTest("a replay that waits for a reset does not keep it waiting", ["postgres"], async () => {
  await using database = await createDatabase();
  const { connection } = database;
  await migrate(connection);
  await claimPipeline(connection, { identity: IDENTITY, origin: ORIGIN });
  await using other = new Connection(database.url);
  const store = new DeadLetterStore(other, "events");
  const rules = await store.rules();
  let replaying: Promise<unknown> | undefined;
  await connection.transaction(async () => {
    await connection.query({ text: "lock table kafka_offsets in exclusive mode" }); // as a reset does
    replaying = store.replay([], rules);
    const waits = () =>
      connection.query({
        text: "select from pg_locks where not granted and locktype = 'relation'",
      });
    await eventually(async () => (await waits()).length === 1);
    await connection.query({ text: "update pipeline set epoch = epoch + 1" });
  });
  assert.deepEqual(await replaying, []);
});

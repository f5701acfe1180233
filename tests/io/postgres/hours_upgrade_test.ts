import assert from "node:assert/strict";
import { fillHours } from "../../../lib/io/postgres/hours.ts";
import { claimPipeline } from "../../../lib/io/postgres/identity.ts";
import { MIGRATIONS } from "../../../lib/io/postgres/schema/migrations.ts";
import { Connection } from "../../../lib/io/postgres/session/connection.ts";
import { eventually } from "../../support/eventually.ts";
import { assertHoursAreSums } from "../../support/hour_sums.ts";
import { migrateToFirstRelease } from "../../support/first_release.ts";
import { createDatabase } from "../../support/postgres.ts";
import { serverTest } from "../../support/servers.ts";
import { commitOf } from "../../support/sink_contract.ts";
import { IDENTITY, openSink, ORIGIN } from "./harness.ts";

const MINUTE_MS = 60_000;
const START_MS = Date.UTC(2026, 0, 31, 12);

serverTest(
  "hours have what a commit adds that began before there were any, and ended after",
  ["postgres"],
  async () => {
    await using database = await createDatabase();
    const { connection } = database;
    await using committing = new Connection(database.url);
    await using filling = new Connection(database.url);
    await migrateToFirstRelease(connection);
    await claimPipeline(connection, { identity: IDENTITY, origin: ORIGIN });
    const sink = openSink(committing);
    await sink.positions(new Map([[0, 0]]));
    const counts = (minute: number, count: number) => [
      {
        windowStartMs: START_MS + minute * MINUTE_MS,
        lotteryName: "keno",
        eventType: "pay",
        count,
      },
    ];
    await sink.commit(commitOf([[0, 0, 2]], { counts: counts(0, 2) }));

    let committed: Promise<unknown> = Promise.resolve();
    let filled: Promise<unknown> = Promise.resolve();
    await committing.transaction(async () => {
      await connection.transaction(async () => {
        await connection.query({ text: "lock table kafka_offsets in access exclusive mode" });
        committed = sink.commit(commitOf([[0, 2, 5]], { counts: counts(1, 3) }));
        await waiting(filling, "commit_counts");
        for (const { version, sql } of MIGRATIONS) {
          if (version > 5) await connection.query({ text: sql });
        }
      });
      await committed;
      filled = fillHours(filling);
      await waiting(connection, "fill_hours");
    });
    await filled;

    await assertHoursAreSums(connection);
    assert.deepEqual(
      await connection.query({ text: "select lottery_name, event_count from lottery_hours" }),
      [{ lottery_name: "keno", event_count: 5 }],
    );
  },
);

serverTest(
  "filling begins after commits that have locked their offsets, and nothing else yet",
  ["postgres"],
  async () => {
    await using database = await createDatabase();
    const { connection } = database;
    await using committing = new Connection(database.url);
    await using filling = new Connection(database.url);
    await migrateToFirstRelease(connection);
    await claimPipeline(connection, { identity: IDENTITY, origin: ORIGIN });
    for (const { version, sql } of MIGRATIONS) {
      if (version > 5) await connection.query({ text: sql });
    }
    let filled: Promise<unknown> = Promise.resolve();
    await committing.transaction(async () => {
      await committing.query({ text: "lock table kafka_offsets in row share mode" });
      filled = fillHours(filling);
      await waiting(connection, "fill_hours");
    });
    assert.equal(await filled, null);
  },
);

/** Resolves once a statement with the text waits for a lock. */
async function waiting(connection: Connection, text: string): Promise<void> {
  await eventually(async () => {
    const rows = await connection.query({
      text: `
        select from pg_stat_activity
        where datname = current_database() and pid <> pg_backend_pid()
          and wait_event_type = 'Lock' and strpos(query, $1) > 0`,
      values: [text],
    });
    return rows.length > 0;
  });
}

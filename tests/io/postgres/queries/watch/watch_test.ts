/** What is read of audits, quiet lotteries and books. */

import assert from "node:assert/strict";
import { readOverview } from "../../../../../lib/io/postgres/queries/overview.ts";
import { readBooksDifference } from "../../../../../lib/io/postgres/queries/watch/books.ts";
import { readLastAudit } from "../../../../../lib/io/postgres/queries/watch/last_audit.ts";
import { readQuiet } from "../../../../../lib/io/postgres/queries/watch/quiet.ts";
import { migrate } from "../../../../../lib/io/postgres/schema/migrate.ts";
import { createDatabase } from "../../../../support/postgres.ts";
import { serverTest } from "../../../../support/servers.ts";
import { commitOf } from "../../../../support/sink_contract.ts";
import { AUDIT, QUIET } from "../../../../support/watched.ts";
import { insertAudit, insertQuiet } from "../../../../support/watched_tables.ts";
import { IDENTITY, openPostgresHarness } from "../../harness.ts";

const MINUTE_MS = 60_000;

serverTest("the newest audit is read, as it was written", ["postgres"], async () => {
  await using database = await createDatabase();
  const { connection } = database;
  await migrate(connection);
  assert.equal(await readLastAudit(connection), null);
  const newest = {
    ...AUDIT,
    fromMs: null,
    toMs: null,
    records: 5_000_000_000,
    verdict: "wrong",
    wrong: 2,
    firstWrong: ['a "quoted", {one}', "b"],
  } as const;
  await insertAudit(connection, { ...AUDIT, atMs: AUDIT.atMs - MINUTE_MS });
  await insertAudit(connection, newest);
  await insertAudit(connection, { ...AUDIT, atMs: AUDIT.atMs - 2 * MINUTE_MS });
  assert.deepEqual(await readLastAudit(connection), newest);
});

serverTest("the lotteries that are quiet of late are read first, and 100 of them", [
  "postgres",
], async () => {
  await using database = await createDatabase();
  const { connection } = database;
  await migrate(connection);
  assert.deepEqual(await readQuiet(connection), { total: 0, listed: [] });
  for (let at = 0; at < 102; at++) {
    const lotteryName = `lottery ${at}`;
    await insertQuiet(connection, { ...QUIET, lotteryName, expected: 1_000 - at });
  }
  const latest = { ...QUIET, quietSinceMs: QUIET.quietSinceMs + MINUTE_MS, expected: 1 };
  await insertQuiet(connection, latest);
  const { total, listed } = await readQuiet(connection);
  assert.deepEqual([total, listed.length, listed[0]], [103, 100, latest]);
  assert.deepEqual(listed[1], { ...QUIET, lotteryName: "lottery 0", expected: 1_000 });
});

serverTest("the overview has both", ["postgres"], async () => {
  await using database = await createDatabase();
  await using harness = await openPostgresHarness(database.url);
  const { connection, first } = harness;
  await first.positions(new Map([[0, 0]]));
  const before = await readOverview(connection, IDENTITY.topic);
  assert.deepEqual([before!.audit, before!.quiet], [null, { total: 0, listed: [] }]);
  await insertAudit(connection, AUDIT);
  await insertQuiet(connection, QUIET);
  const after = await readOverview(connection, IDENTITY.topic);
  assert.deepEqual([after!.audit, after!.quiet], [AUDIT, { total: 1, listed: [QUIET] }]);
});

serverTest("the books tell by how much hours and ledger differ, as soon as that is known", [
  "postgres",
], async () => {
  await using database = await createDatabase();
  await using harness = await openPostgresHarness(database.url);
  const { connection, first } = harness;
  const change = (text: string) => connection.query({ text });
  const difference = () => readBooksDifference(connection);
  assert.equal(await difference(), null, "nothing was counted");
  await first.positions(new Map([[0, 0]]));
  assert.equal(await difference(), 0);
  await first.commit(commitOf([[0, 0, 7]]));
  assert.equal(await difference(), 0);
  await change("update lottery_hours set event_count = event_count + 3");
  assert.equal(await difference(), -3);
  await change("delete from lottery_hours");
  assert.ok(await difference() as number > 0);
  await change("call rebuild_hours()");
  assert.equal(await difference(), 0);
  await change("update kafka_offsets set counted = counted + 1");
  assert.equal(await difference(), 1);
  await change("update pipeline set hours_from = now()");
  assert.equal(await difference(), null, "an older database is being filled");
});

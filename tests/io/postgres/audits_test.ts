import assert from "node:assert/strict";
import type { AuditNote } from "../../../lib/core/audit/audit_note.ts";
import { auditState, recordAudit } from "../../../lib/io/postgres/audits.ts";
import { migrate } from "../../../lib/io/postgres/schema/migrate.ts";
import { createDatabase, type TestDatabase } from "../../support/postgres.ts";
import { serverTest } from "../../support/servers.ts";

const HOUR_MS = 3_600_000;

/** A database with a pipeline in its first epoch. */
async function createCounted(): Promise<TestDatabase> {
  const database = await createDatabase();
  await migrate(database.connection);
  await database.connection.query({
    text: `
      insert into pipeline (
        cluster_id, topic, group_id, window_seconds, max_future_seconds, event_rules
      )
      values ('c', 't', 'g', 60, 86400, 2)`,
  });
  return database;
}

function noteOf(ageMs: number, differing: Partial<AuditNote> = {}): AuditNote {
  const atMs = Date.now() - ageMs;
  return {
    ...{ atMs, fromMs: atMs - HOUR_MS, toMs: atMs - 60_000, records: 12, rows: 1_064, wrong: 0 },
    ...{ notProvable: 0, seconds: 1.25, verdict: "agrees", firstWrong: [], roundMs: 900_000 },
    ...differing,
  };
}

serverTest("A round of the audit is written as it is, and only if the counts are the same since", [
  "postgres",
], async () => {
  await using database = await createCounted();
  const { connection } = database;
  const firstWrong = ['Window …, "quoted", {a,b}: stored 1, recounted no row', "and \\ another"];
  const note = noteOf(0, { verdict: "wrong", wrong: 2, firstWrong });
  assert.equal(await recordAudit(connection, note, { epoch: 1 }), true);
  assert.equal(await recordAudit(connection, noteOf(1_000), { epoch: 2 }), false);
  const rows = await connection.query({ text: "select * from audits" });
  assert.deepEqual(rows, [{
    at: new Date(note.atMs),
    from_time: new Date(note.fromMs!),
    to_time: new Date(note.toMs!),
    ...{ records: 12, rows: 1_064, wrong: 2, not_provable: 0, seconds: 1.25, verdict: "wrong" },
    first_wrong: firstWrong,
    round_seconds: 900,
  }]);
});

serverTest("Rounds are kept for a year, and none that a clock that was ahead has written", [
  "postgres",
], async () => {
  await using database = await createCounted();
  const { connection } = database;
  for (const days of [367, 364, -1, 0]) {
    await recordAudit(connection, noteOf(days * 24 * HOUR_MS, { rows: days }), { epoch: 1 });
  }
  const kept = await connection.query({ text: "select rows from audits order by at" });
  assert.deepEqual(kept, [{ rows: 364 }, { rows: 0 }]);
});

serverTest("The next round begins where the last one ended that found nothing wrong", [
  "postgres",
], async () => {
  await using database = await createCounted();
  const { connection } = database;
  const nothing = { verdict: null, toMs: null, fullAgeMs: null, wrongSinceMs: null };
  assert.deepEqual(await auditState(connection), nothing);

  const first = noteOf(9 * HOUR_MS, { verdict: "wrong", fromMs: null });
  await recordAudit(connection, first, { epoch: 1 });
  const wrong = { ...nothing, verdict: "wrong", wrongSinceMs: first.atMs };
  assert.deepEqual(await auditState(connection), wrong);

  await recordAudit(connection, noteOf(8 * HOUR_MS, { fromMs: null }), { epoch: 1 });
  const later = noteOf(7 * HOUR_MS, { verdict: "not provable" });
  await recordAudit(connection, later, { epoch: 1 });
  assert.equal((await auditState(connection)).wrongSinceMs, null);
  for (const hours of [6, 5]) {
    const note = noteOf(hours * HOUR_MS, { verdict: "wrong" });
    await recordAudit(connection, note, { epoch: 1 });
  }
  const { verdict, toMs, fullAgeMs, wrongSinceMs } = await auditState(connection);
  assert.equal(verdict, "wrong");
  assert.equal(Math.round((Date.now() - wrongSinceMs!) / HOUR_MS), 6);
  assert.equal(toMs, later.toMs);
  assert.equal(Math.round(fullAgeMs! / HOUR_MS), 8);
});

/** The figures of both dashboards about audits and quiet lotteries. */

import assert from "node:assert/strict";
import type { AuditNote } from "../../lib/core/audit/audit_note.ts";
import { migrate } from "../../lib/io/postgres/schema/migrate.ts";
import { type Panel, query, readDashboard } from "../support/grafana.ts";
import { createDatabase } from "../support/postgres.ts";
import { serverTest } from "../support/servers.ts";
import { AUDIT, QUIET } from "../support/watched.ts";
import { insertAudit, insertQuiet } from "../support/watched_tables.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const NOW_MS = Date.UTC(2026, 0, 31, 12);

const { panels } = await readDashboard("lotto24");

const NEWEST = { ...AUDIT, atMs: Date.now() - MINUTE_MS };

const AUDITS: Readonly<
  Record<string, { readonly audits: readonly AuditNote[]; readonly found: number | null }>
> = {
  "nobody audits": { audits: [], found: null },
  "all agrees": { audits: [NEWEST], found: 0 },
  "some rows cannot be proved": {
    audits: [{ ...NEWEST, verdict: "not provable", notProvable: 5 }],
    found: 0,
  },
  "a part of the topic is in no count": {
    audits: [{ ...NEWEST, verdict: "incomplete" }],
    found: -2,
  },
  "a hundred rows are wrong": { audits: [{ ...NEWEST, verdict: "wrong", wrong: 100 }], found: 100 },
  "they were": {
    audits: [{ ...NEWEST, atMs: NEWEST.atMs - 1, verdict: "wrong", wrong: 100 }, NEWEST],
    found: 0,
  },
  "two rounds are over": { audits: [{ ...NEWEST, atMs: NEWEST.atMs - 30 * MINUTE_MS }], found: -1 },
  "something was wrong, two rounds ago": {
    audits: [{ ...NEWEST, atMs: NEWEST.atMs - HOUR_MS, verdict: "wrong", wrong: 3 }],
    found: 3,
  },
};

serverTest("the last audit is a verdict, unless it is too old for one", ["postgres"], async () => {
  const workers = await readDashboard("workers");
  const ofWorkers = workers.panels.find(({ title }) => title === "Last audit")!;
  const ofEvents = panels.find(({ title }) => title === "Last audit")!;
  for (const [name, { audits, found }] of Object.entries(AUDITS)) {
    await using database = await createDatabase();
    await migrate(database.connection);
    for (const audit of audits) await insertAudit(database.connection, audit);
    const read = async (
      panel: Panel,
    ) => [...(await query(database.url, panel.targets[0]!.rawSql!)).rows];
    for (const panel of [ofEvents, ofWorkers]) {
      assert.deepEqual(await read(panel), [{ found }], name);
    }
    const texts = ofEvents.fieldConfig.defaults.mappings![0]!.options;
    if (found !== null && found <= 0) assert.ok(texts[found], `${found} has a text`);
  }
});

serverTest("a quiet lottery is shown with the share that it has, the latest first", [
  "postgres",
], async () => {
  await using database = await createDatabase();
  await migrate(database.connection);
  const later = { ...QUIET, lotteryName: "o'brien", events: 0, quietSinceMs: NOW_MS };
  for (const lottery of [{ ...QUIET, events: 57 }, later]) {
    await insertQuiet(database.connection, lottery);
  }
  const panel = panels.find(({ title }) => title === "Quiet lotteries")!;
  const { rows } = await query(database.url, panel.targets[0]!.rawSql!);
  assert.deepEqual(rows.map(({ Lottery, Events, Share }) => [Lottery, Events, Share]), [
    ["o'brien", 0, 0],
    ["mega_draw", 57, 0.05],
  ]);
});

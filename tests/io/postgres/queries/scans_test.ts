/**
 * Every statement that a running pipeline, its page, its API or a command sends again and again goes
 * by a key of the large tables, and so takes as long after a year as after an hour. Each is explained
 * with its values; what functions of the database run inside shows in the server's own statistics.
 *
 * `audit` is left out: it compares every row. So are the books, which add up all hours: the longer
 * that takes, the less often they do.
 */

import assert from "node:assert/strict";
import { RANGES } from "../../../../lib/core/views/time_range.ts";
import { PostgresAlertClaims } from "../../../../lib/io/postgres/alert_claims.ts";
import { DeadLetterStore } from "../../../../lib/io/postgres/dead_letters.ts";
import { fillHours } from "../../../../lib/io/postgres/hours.ts";
import { comparePipeline } from "../../../../lib/io/postgres/identity.ts";
import { PostgresOutbox } from "../../../../lib/io/postgres/outbox.ts";
import { readHistories } from "../../../../lib/io/postgres/queries/audit/snapshot.ts";
import type { CountsQuery } from "../../../../lib/io/postgres/queries/counts/query.ts";
import { readExpected } from "../../../../lib/io/postgres/queries/counts/expected.ts";
import { readCounts } from "../../../../lib/io/postgres/queries/counts/counts.ts";
import {
  deadLettersByReason,
  recentDeadLetters,
} from "../../../../lib/io/postgres/queries/dead_letter_counts.ts";
import { readReasons } from "../../../../lib/io/postgres/queries/dead_letter_reasons.ts";
import { searchLotteries } from "../../../../lib/io/postgres/queries/lotteries.ts";
import { readLetters } from "../../../../lib/io/postgres/queries/newest_dead_letters.ts";
import { readOverview } from "../../../../lib/io/postgres/queries/overview.ts";
import {
  eventTimeStatus,
  outboxStatus,
  storedOffsets,
} from "../../../../lib/io/postgres/queries/progress.ts";
import { readTotals } from "../../../../lib/io/postgres/queries/totals.ts";
import { readLastAudit } from "../../../../lib/io/postgres/queries/watch/last_audit.ts";
import { readQuiet } from "../../../../lib/io/postgres/queries/watch/quiet.ts";
import { readWindowView } from "../../../../lib/io/postgres/queries/window_view.ts";
import { judgeQuiet } from "../../../../lib/io/postgres/quiet.ts";
import { holdings } from "../../../../lib/io/postgres/reset.ts";
import {
  expireAggregates,
  expireDeadLetters,
  expireHours,
} from "../../../../lib/io/postgres/retention.ts";
import { assertUpToDate, assertUsable } from "../../../../lib/io/postgres/schema/migrate.ts";
import type { Connection } from "../../../../lib/io/postgres/session/connection.ts";
import { listWorkers, WorkerRegistry } from "../../../../lib/io/postgres/worker_registry.ts";
import { setEventTime } from "../../../support/counted.ts";
import { createDatabase } from "../../../support/postgres.ts";
import { type Reading, scansOf } from "../../../support/scans.ts";
import { serverTest } from "../../../support/servers.ts";
import { commitOf } from "../../../support/sink_contract.ts";
import {
  IDENTITY,
  openPostgresHarness,
  openSink,
  ORIGIN,
  type PostgresHarness,
} from "../harness.ts";

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
/** The window that event time is in. */
const NOON_MS = Date.UTC(2026, 0, 31, 12);

const { topic } = IDENTITY;

const QUERY: CountsQuery = {
  fromMs: NOON_MS - 30 * DAY_MS,
  toMs: NOON_MS,
  stepSeconds: 60,
  zone: "Europe/Berlin",
  lotteryNames: [],
  eventTypes: [],
  after: null,
  limit: 2_000,
};

/** Pages of counts by each step, of all and of some, and in the middle of a range. */
const COUNTS: readonly CountsQuery[] = [60, 300, 900, 3_600, 21_600, 86_400, 7 * 86_400].flatMap(
  (stepSeconds) =>
    [
      {},
      { lotteryNames: ["lottery 1"] },
      { lotteryNames: ["lottery 1", "lottery 2", "nobody"], eventTypes: ["type 1"] },
      { eventTypes: ["type 2"] },
      { lotteryNames: ["nobody"] },
      {
        fromMs: NOON_MS - DAY_MS,
        after: {
          startMs: NOON_MS - DAY_MS + 10 * MINUTE_MS,
          lotteryName: "lottery 1",
          eventType: "pay",
        },
      },
    ].map((changes) => ({ ...QUERY, stepSeconds, ...changes })),
);

async function readViews(connection: Connection): Promise<void> {
  const overview = await readOverview(connection, topic);
  const fixed = { fromMs: NOON_MS - 20 * DAY_MS, toMs: NOON_MS - 10 * DAY_MS };
  for (const range of [...Object.keys(RANGES) as (keyof typeof RANGES)[], fixed]) {
    for (const lotteryNames of [[], ["lottery 1", "nobody"]]) {
      for (const zone of ["UTC", "Asia/Kolkata"]) {
        await readWindowView(connection, { range, lotteryNames, zone }, overview!);
      }
    }
  }
}

const READERS: Readonly<Record<string, Reading>> = {
  "the page": readViews,
  "/api/aggregates": async (connection) => {
    for (const query of COUNTS) await readCounts(connection, query);
  },
  "/api/totals": async (connection) => {
    for (const days of [0.01, 1, 20]) {
      const range = { fromMs: NOON_MS - days * DAY_MS, toMs: NOON_MS, zone: "Europe/Berlin" };
      await readTotals(connection, { ...range, lotteryNames: [] });
      await readTotals(connection, { ...range, lotteryNames: ["lottery 1", "nobody"] });
    }
  },
  "/api/expected": async (connection) => {
    for (const minutes of [15, 24 * 60]) {
      const range = { fromMs: NOON_MS - minutes * MINUTE_MS, toMs: NOON_MS, zone: "Europe/Berlin" };
      await readExpected(connection, { ...range, lotteryNames: [], eventTypes: [] });
      await readExpected(connection, { ...range, lotteryNames: [], eventTypes: ["type 1"] });
      await readExpected(connection, {
        ...range,
        lotteryNames: ["lottery 1", "nobody"],
        eventTypes: ["type 1", "pay"],
      });
    }
  },
  "/api/lotteries": async (connection) => {
    for (const text of ["", "lottery 1"]) await searchLotteries(connection, { text, limit: 21 });
  },
  "/api/dead-letters": async (connection) => {
    await readLetters(connection, { limit: 20, headBytes: 1_024 });
    const range = { fromMs: NOON_MS - DAY_MS, toMs: NOON_MS };
    await readReasons(connection, { ...range, stepSeconds: 900, zone: "UTC" });
  },
  "status and /api/status": async (connection) => {
    await readOverview(connection, topic);
    await eventTimeStatus(connection);
    await outboxStatus(connection);
    await deadLettersByReason(connection);
    await listWorkers(connection);
    await readLastAudit(connection);
    await readQuiet(connection);
  },
  "doctor": async (connection) => {
    await assertUsable(connection);
    await assertUpToDate(connection);
    await comparePipeline(connection, { identity: IDENTITY, origin: ORIGIN });
  },
  "dead-letters": async (connection) => {
    const store = new DeadLetterStore(connection, topic);
    const positions = await store.find({ isReplayed: false }, 50);
    await store.find({ isReplayed: false, reason: "not_json", sinceMs: NOON_MS }, 50);
    await store.read(positions);
    const rules = await store.rules();
    const event = { lotteryName: "lottery 1", eventType: "type 1", timestampMs: NOON_MS };
    const position = { partition: 0, offset: 1 };
    await store.replay([{ position, value: new Uint8Array([1]), event }], rules);
  },
  "reset": async (connection) => {
    await holdings(connection, topic);
    await readHistories(connection, topic);
  },
};

const WORKER: Readonly<Record<string, Reading>> = {
  "commits": async (connection) => {
    const sink = openSink(connection);
    await sink.horizon();
    const [stored] = await storedOffsets(connection, topic);
    const [partition, offset] = stored!;
    await sink.commit(commitOf([[partition, offset, offset + 5]]));
    await sink.advanceWatermark(1);
  },
  "coverage and alerts": async (connection) => {
    const registry = new WorkerRegistry(connection, { id: "worker", host: "here" });
    await registry.renew([0]);
    await registry.takeDead();
    await recentDeadLetters(connection);
    await new PostgresAlertClaims(connection, () => true).claim("dead_letters", MINUTE_MS);
  },
  "the watch": async (connection) => {
    const options = { types: ["type 1", "type 2"], minutes: 15, share: 0.2, minExpected: 20 };
    const times = { zone: "Europe/Berlin", maxDelayMs: 7 * MINUTE_MS };
    await connection.query({
      text: "update kafka_offsets set caught_up_at = $1",
      values: [new Date(NOON_MS + DAY_MS)],
    });
    // More often than plans are made for the values alone; the last time, event time stands still.
    for (const minute of [0, 1, 2, 3, 4, 4, 4, 4, 24 * 60]) {
      await judgeQuiet(connection, { ...options, ...times, atMs: NOON_MS + minute * MINUTE_MS });
    }
  },
  "publishing": async (connection) => {
    const outbox = new PostgresOutbox(connection, "worker");
    await outbox.claim();
    await outbox.renewRevisions();
    await outbox.isReviewDue();
    await outbox.fill();
    await outbox.fill();
    const counts = await outbox.next(100);
    await outbox.lookUp(counts);
    await outbox.takeAgain(counts);
    await outbox.remove(counts);
    await outbox.reviewed();
  },
  "retention": async (connection) => {
    const options = { nowMs: NOON_MS, retentionDays: 1 };
    await expireAggregates(connection, options);
    await expireAggregates(connection, options);
    await expireHours(connection, { ...options, retentionDays: 10 });
    await expireHours(connection, { ...options, retentionDays: 10 });
    await expireDeadLetters(connection, options);
  },
  "filling hours": async (connection) => {
    await fillHours(connection);
    await fillHours(connection);
  },
};

/** Four days of windows and 60 days of hours, of 60 pairs, and dead letters. */
async function fill(connection: Connection): Promise<void> {
  const pairs = `
    select 'lottery ' || 1 + n / 5 as lottery_name, 'type ' || 1 + n % 5 as event_type
    from generate_series(0, 59) n`;
  const values = [new Date(NOON_MS)];
  await connection.query({
    text: `
      insert into lottery_aggregates
        (window_start, window_end, lottery_name, event_type, event_count)
      select start, start + interval '1 minute', lottery_name, event_type, 7
      from generate_series($1::timestamptz - interval '4 days', $1, '1 minute') start
      cross join (${pairs}) pairs
      order by start, lottery_name, event_type`,
    values,
  });
  await connection.query({
    text: `
      insert into lottery_hours (hour_start, lottery_name, event_type, event_count)
      select start, lottery_name, event_type, 420
      from generate_series($1::timestamptz - interval '60 days', $1, '1 hour') start
      cross join (${pairs}) pairs
      order by start, lottery_name, event_type`,
    values,
  });
  await connection.query({
    text: `
      insert into dead_letters (topic, partition, kafka_offset, reason, headers, received_at)
      select $2, 0, n, 'not_json', '[]', $1::timestamptz - n * interval '1 minute'
      from generate_series(1, 3000) n`,
    values: [...values, topic],
  });
  await connection.query({ text: "analyze" });
}

/** A filled database of a pipeline that has counted. */
async function openFilled(): Promise<PostgresHarness & { readonly url: string }> {
  const database = await createDatabase();
  const { url } = database;
  const harness = await openPostgresHarness(url, async () => {
    await database[Symbol.asyncDispose]();
  });
  const { connection, first } = harness;
  await first.positions(new Map([[0, 0]]));
  await first.commit(commitOf([[0, 0, 5]], { counts: [] }));
  await connection.query({
    text: "update kafka_offsets set max_event_time = $1",
    values: [new Date(NOON_MS)],
  });
  await fill(connection);
  await setEventTime(connection, { watermarkMs: NOON_MS, closedUpToMs: NOON_MS - 2 * MINUTE_MS });
  return { ...harness, url };
}

async function assertNoScans(
  { connection, url }: { readonly connection: Connection; readonly url: string },
  readings: Readonly<Record<string, Reading>>,
): Promise<void> {
  for (const [name, reading] of Object.entries(readings)) {
    assert.deepEqual(
      await scansOf(connection, { url, reading }),
      { statements: [], scans: 0 },
      name,
    );
  }
}

/** As in an older database whose hours are being filled. */
async function setHoursFrom(connection: Connection, hoursFromMs: number): Promise<void> {
  await connection.query({
    text: "update pipeline set hours_from = $1",
    values: [new Date(hoursFromMs)],
  });
}

serverTest("nothing that reads scans a large table", ["postgres"], async () => {
  await using filled = await openFilled();
  await assertNoScans(filled, READERS);
  await setHoursFrom(filled.connection, NOON_MS - DAY_MS);
  await assertNoScans(filled, READERS);
});

serverTest(
  "nothing that a worker does periodically scans a large table",
  ["postgres"],
  async () => {
    await using filled = await openFilled();
    await setHoursFrom(filled.connection, NOON_MS - DAY_MS / 2);
    const { retention, ...others } = WORKER;
    await assertNoScans(filled, others);
    await filled.connection.query({ text: "update pipeline set hours_from = null" });
    await assertNoScans(filled, { retention: retention! });
  },
);

serverTest(
  "a statement that scans is found, and so is one within a function",
  ["postgres"],
  async () => {
    await using filled = await openFilled();
    const { connection, url } = filled;
    const scans = async (text: string) =>
      await scansOf(connection, { url, reading: (each) => each.query({ text }) });
    const seen = await scans("-- why\nselect sum(event_count) from lottery_hours");
    assert.deepEqual([seen.statements.length, seen.scans > 0], [1, true]);
    const hidden = await scans(
      "do $$ begin perform max(updated_at) from lottery_aggregates; end $$",
    );
    assert.deepEqual([hidden.statements.length, hidden.scans > 0], [0, true]);
  },
);

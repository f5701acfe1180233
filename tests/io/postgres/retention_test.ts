import assert from "node:assert/strict";
import { fillHours } from "../../../lib/io/postgres/hours.ts";
import {
  expireAggregates,
  expireDeadLetters,
  expireHours,
  type ExpiryOptions,
} from "../../../lib/io/postgres/retention.ts";
import { Connection } from "../../../lib/io/postgres/session/connection.ts";
import { FencedError } from "../../../lib/pipeline/sink.ts";
import { eventually } from "../../support/eventually.ts";
import { createDatabase } from "../../support/postgres.ts";
import { serverTest } from "../../support/servers.ts";
import { commitOf } from "../../support/sink_contract.ts";
import { openPostgresHarness, openSink, type PostgresHarness } from "./harness.ts";

const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;

/** Start of the minute that it is. */
function thisMinuteMs(): number {
  return Math.floor(Date.now() / MINUTE_MS) * MINUTE_MS;
}

function retentionTest(
  rule: string,
  body: (harness: PostgresHarness, url: string) => Promise<void>,
): void {
  serverTest(rule, ["postgres"], async () => {
    const database = await createDatabase();
    const release = async () => await database[Symbol.asyncDispose]();
    await using harness = await openPostgresHarness(database.url, release);
    await harness.first.positions(new Map([[0, 0]]));
    // Ahead of the rows that a test makes.
    await harness.connection.query({
      text: "update kafka_offsets set max_event_time = now() + interval '1 minute'",
    });
    await body(harness, database.url);
  });
}

/** So many days old by a clock that is right. */
function old(retentionDays: number): ExpiryOptions {
  return { retentionDays, nowMs: Date.now() };
}

interface Standing extends Readonly<Record<string, unknown>> {
  readonly rows: number;
  readonly events: number;
  readonly deleted: number;
  readonly before_horizon: number;
  readonly horizon: Date | null;
}

async function standing(connection: Connection): Promise<Standing> {
  const [row] = await connection.query<Standing>({
    text: `
      select
        count(a.*) as rows,
        coalesce(sum(event_count), 0)::bigint as events,
        deleted_events as deleted,
        count(*) filter (where window_start < aggregates_horizon) as before_horizon,
        aggregates_horizon as horizon
      from pipeline left join lottery_aggregates a on true
      group by deleted_events, aggregates_horizon`,
  });
  return row!;
}

retentionTest(
  "expireAggregates() deletes whole windows in steps, and each step records how far it came",
  async ({ connection }) => {
    // Three rows a window; one window has more rows than a step takes.
    await connection.query({
      text: `
        insert into lottery_aggregates
        select start, start + interval '1 minute', 'lottery ' || n, 'pay', 1
        from generate_series($1::timestamptz, $1 + interval '5999 minutes', '1 minute') as start,
          generate_series(1, 3) as n
        union all
        select $1, $1 + interval '1 minute', 'many ' || n, 'pay', 1
        from generate_series(1, 7000) as n`,
      values: [new Date(thisMinuteMs() - 12 * DAY_MS)],
    });
    const before = await standing(connection);
    let steps = 0;
    for (let isDone = false; !isDone; steps++) {
      ({ isDone } = await expireAggregates(connection, old(10)));
      const now = await standing(connection);
      assert.equal(now.before_horizon, 0, "all before it is deleted");
      assert.equal(now.events + now.deleted, before.events);
      const [next] = await connection.query<{ least: Date; partial: number }>({
        text: `
          select min(window_start) as least,
            (select count(*) from (
              select from lottery_aggregates group by window_start having count(*) <> 3
            ) as windows) as partial
          from lottery_aggregates`,
      });
      assert.equal(next!.least.getTime(), now.horizon!.getTime(), "nothing behind it is");
      assert.equal(next!.partial, 0, "no window is cut");
    }
    assert.equal(steps, 3);
    const { horizon, rows } = await standing(connection);
    assert.ok(Math.abs(horizon!.getTime() - (thisMinuteMs() - 10 * DAY_MS)) <= 2 * MINUTE_MS);
    assert.ok(Math.abs(rows - 3 * (6_000 - 2 * 1_440)) <= 6, `${rows} rows`);

    assert.deepEqual(await expireAggregates(connection, old(11)), { deletedRows: 0, isDone: true });
    assert.deepEqual((await standing(connection)).horizon, horizon, "it never falls");
  },
);

retentionTest(
  "expireAggregates() beside commits leaves no window before the horizon, and loses no count",
  async ({ connection, first, second }, url) => {
    await using other = new Connection(url);
    await first.positions(new Map([[0, 0], [1, 0]]));
    let isOver = false;
    const outcomes = { stored: 0, fenced: 0 };
    /** Commits to windows of the last 40 days, some of them before the horizon. */
    const committing = async (sink: typeof first, partition: number) => {
      for (let offset = 0, round = 0; !isOver; round++) {
        const counts = [0, 1, 2].map((n) => ({
          windowStartMs: thisMinuteMs() - ((round * 7 + n * 13) % 40) * DAY_MS,
          lotteryName: `lottery ${n}`,
          eventType: "pay",
          count: 1,
        })).sort((a, b) => a.windowStartMs - b.windowStartMs);
        const [from, to] = [offset, offset + 3];
        try {
          await sink.commit(commitOf([[partition, from, to]], { counts }));
          outcomes.stored++;
          offset = to;
        } catch (error) {
          assert.ok(error instanceof FencedError, String(error));
          assert.match(error.message, /is deleted/);
          outcomes.fenced++;
        }
      }
    };
    const expiring = async () => {
      for (let days = 39; days >= 3; days--) {
        const before = outcomes.stored + outcomes.fenced;
        await Promise.all([
          expireAggregates(connection, old(days)),
          expireAggregates(other, old(days)),
        ]);
        while (outcomes.stored + outcomes.fenced < before + 10) {
          await new Promise((resolve) => setTimeout(resolve));
        }
      }
      isOver = true;
    };
    await Promise.all([committing(first, 0), committing(second, 1), expiring()]);

    const { before_horizon, events, deleted } = await standing(connection);
    assert.equal(before_horizon, 0);
    assert.ok(outcomes.fenced > 20 && outcomes.stored > 20, JSON.stringify(outcomes));
    assert.equal(events + deleted, 3 * outcomes.stored);
  },
);

retentionTest(
  "expireAggregates() waits for a commit under way, whose rows it could not see",
  async ({ connection }, url) => {
    await using committing = new Connection(url);
    const windowStartMs = thisMinuteMs() - 9 * DAY_MS;
    const counts = [{ windowStartMs, lotteryName: "keno", eventType: "pay", count: 5 }];
    let expiring = Promise.resolve<unknown>(null);
    await committing.transaction(async () => {
      await openSink(committing).commit(commitOf([[0, 0, 5]], { counts }));
      await using watching = new Connection(url);
      expiring = expireAggregates(connection, old(7));
      await eventually(async () => {
        const waiting = await watching.query({
          text: `
            select from pg_stat_activity
            where datname = current_database() and wait_event_type = 'Lock'
              and query like '%expire_aggregates%'`,
        });
        return waiting.length > 0;
      });
    });
    assert.deepEqual(await expiring, { deletedRows: 1, isDone: true });
    const { rows, deleted } = await standing(connection);
    assert.deepEqual([rows, deleted], [0, 5]);
  },
);

/** Hours and what is known of those that were deleted. */
async function hoursStanding(connection: Connection) {
  const [row] = await connection.query<
    Readonly<Record<string, unknown>> & {
      readonly hours: number;
      readonly events: number;
      readonly deleted: number;
      readonly first: Date | null;
      readonly horizon: Date | null;
    }
  >({
    text: `
      select
        count(hour_start) as hours,
        coalesce(sum(event_count), 0)::bigint as events,
        deleted_hour_events as deleted,
        min(hour_start) as first,
        hours_horizon as horizon
      from pipeline left join lottery_hours on true
      group by deleted_hour_events, hours_horizon`,
  });
  return row!;
}

retentionTest(
  "expireHours() deletes whole hours in steps, none before its windows, and says what is gone",
  async ({ connection, first }) => {
    const [days, names] = [22, 13];
    const starts = Array.from(
      { length: days * 24 },
      (_, n) => thisMinuteMs() - (days * 24 - n) * 60 * MINUTE_MS,
    );
    const counts = starts.flatMap((windowStartMs) =>
      Array.from({ length: names }, (_, n) => ({
        windowStartMs,
        lotteryName: `lottery ${String(n).padStart(2, "0")}`,
        eventType: "pay",
        count: 1,
      }))
    );
    await first.commit(commitOf([[0, 0, counts.length]], { counts }));
    const all = await hoursStanding(connection);
    assert.deepEqual([all.hours, all.events], [counts.length, counts.length]);

    assert.deepEqual(await expireHours(connection, old(1)), { deletedRows: 0, isDone: true });
    assert.deepEqual(await hoursStanding(connection), all, "their windows are still there");

    const expireWindows = async (days: number) => {
      for (let isDone = false; !isDone;) {
        ({ isDone } = await expireAggregates(connection, old(days)));
      }
    };
    await expireWindows(19);
    assert.deepEqual(await hoursStanding(connection), all, "windows go alone");
    await expireHours(connection, old(1));
    const { horizon: windowsHorizon } = await standing(connection);
    const early = await hoursStanding(connection);
    assert.ok(
      early.deleted > 0 && early.horizon! <= windowsHorizon!,
      "only hours whose windows went",
    );
    assert.ok(windowsHorizon!.getTime() - early.horizon!.getTime() < 60 * MINUTE_MS);

    await expireWindows(1);
    let steps = 0;
    for (let isDone = false; !isDone; steps++) {
      ({ isDone } = await expireHours(connection, old(2)));
      const now = await hoursStanding(connection);
      assert.equal(now.events + now.deleted, counts.length);
      assert.equal(now.first!.getTime(), now.horizon!.getTime(), "nothing behind it is");
      assert.equal(now.hours % names, 0, "no hour is cut");
    }
    assert.equal(steps, 2);
    const { hours, horizon } = await hoursStanding(connection);
    assert.ok(Math.abs(horizon!.getTime() - (Date.now() - 2 * DAY_MS)) <= 61 * MINUTE_MS);
    assert.ok(Math.abs(hours - 2 * 24 * names) <= 2 * names, `${hours} hours`);
    assert.deepEqual(await expireHours(connection, old(3)), { deletedRows: 0, isDone: true });
    assert.deepEqual((await hoursStanding(connection)).horizon, horizon, "it never falls");
  },
);

retentionTest(
  "expireAggregates() keeps windows that are not in the hours yet",
  async ({ connection, first }) => {
    const counts = [{
      windowStartMs: thisMinuteMs() - 9 * DAY_MS,
      lotteryName: "keno",
      eventType: "pay",
      count: 5,
    }];
    await first.commit(commitOf([[0, 0, 5]], { counts }));
    await connection.query({ text: "delete from lottery_hours" });
    await connection.query({
      text: "update pipeline set hours_from = (select max(window_end) from lottery_aggregates)",
    });
    assert.deepEqual(await expireAggregates(connection, old(7)), { deletedRows: 0, isDone: true });
    assert.equal(await fillHours(connection), null);
    assert.deepEqual(await expireAggregates(connection, old(7)), { deletedRows: 1, isDone: true });
    const { events, deleted } = await hoursStanding(connection);
    assert.deepEqual([events, deleted], [5, 0]);
  },
);

retentionTest(
  "expireDeadLetters() keeps what was replayed until its window is deleted, and says what is gone",
  async ({ connection }) => {
    // An hour older than whole days: the two clocks that are compared need not agree to the microsecond.
    await connection.query({
      text: `
        insert into dead_letters
          (topic, partition, kafka_offset, reason, headers, received_at, replayed_at, replayed_value, replayed_window)
        select
          'user-events', n % 2, n, 'not_json', '[]', now() - n * interval '1 day' - interval '1 hour',
          case when n = 8 then now() end, case when n = 8 then 'x'::bytea end,
          case when n = 8 then $1::timestamptz end
        from generate_series(1, 10) as n`,
      values: [new Date(thisMinuteMs() - 8 * DAY_MS)],
    });
    const left = async () =>
      (await connection.query<{ n: number }>({
        text: "select kafka_offset as n from dead_letters order by 1",
      })).map(({ n }) => n);

    assert.deepEqual(await expireDeadLetters(connection, old(5)), { deletedRows: 5, isDone: true });
    assert.deepEqual(await left(), [1, 2, 3, 4, 8]);
    assert.deepEqual(await expireDeadLetters(connection, old(5)), { deletedRows: 0, isDone: true });
    await expireAggregates(connection, old(7));
    assert.deepEqual(await expireDeadLetters(connection, old(5)), { deletedRows: 1, isDone: true });
    assert.deepEqual(await left(), [1, 2, 3, 4]);
    assert.deepEqual(
      await connection.query({
        text:
          "select partition, horizon_offset, deleted from dead_letter_horizons order by partition",
      }),
      [
        { partition: 0, horizon_offset: 11, deleted: 3 },
        { partition: 1, horizon_offset: 10, deleted: 3 },
      ],
    );
  },
);

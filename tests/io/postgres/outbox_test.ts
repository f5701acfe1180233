import assert from "node:assert/strict";
import type { WindowCount } from "../../../lib/core/windowing/window.ts";
import { DeadLetterStore } from "../../../lib/io/postgres/dead_letters.ts";
import { PostgresOutbox } from "../../../lib/io/postgres/outbox.ts";
import { missingGrants } from "../../../lib/io/postgres/schema/rights.ts";
import { Connection } from "../../../lib/io/postgres/session/connection.ts";
import { eventually } from "../../support/eventually.ts";
import { createDatabase } from "../../support/postgres.ts";
import { createRole, type TestRole } from "../../support/role.ts";
import { serverTest } from "../../support/servers.ts";
import { commitOf } from "../../support/sink_contract.ts";
import { openPostgresHarness, openSink, type PostgresHarness } from "./harness.ts";

const MINUTE_MS = 60_000;
const START_MS = 1_763_800_020_000;

interface OutboxStand extends PostgresHarness {
  readonly url: string;
  readonly outbox: PostgresOutbox;
  /** Counts one event of a lottery in the n-th window. */
  count(window: number, lotteryName: string): Promise<void>;
  /** Says that the first n windows are closed. */
  close(windows: number): Promise<void>;
  /** What is to be published, as `window lottery count`. */
  pending(): Promise<string[]>;
}

/** One event of a lottery in the n-th window. */
function countOf(window: number, lotteryName: string): WindowCount {
  const windowStartMs = START_MS + window * MINUTE_MS;
  return { windowStartMs, lotteryName, eventType: "pay", count: 1 };
}

function outboxTest(rule: string, body: (stand: OutboxStand) => Promise<void>): void {
  serverTest(rule, ["postgres"], async () => {
    const database = await createDatabase();
    const release = async () => await database[Symbol.asyncDispose]();
    await using harness = await openPostgresHarness(database.url, release);
    const { connection, first } = harness;
    const outbox = new PostgresOutbox(connection, "first");
    await first.positions(new Map([[0, 0]]));
    let offset = 0;
    await body(Object.assign(harness, {
      url: database.url,
      outbox,
      count: async (window: number, lotteryName: string) => {
        const counts = [countOf(window, lotteryName)];
        await first.commit(commitOf([[0, offset, ++offset]], { counts }));
      },
      close: async (windows: number) => {
        await connection.query({
          text: "update pipeline set closed_up_to = to_timestamp($1)",
          values: [(START_MS + windows * MINUTE_MS) / 1000],
        });
      },
      pending: async () =>
        (await outbox.next(100)).map(({ windowStartMs, lotteryName, count }) =>
          `${(windowStartMs - START_MS) / MINUTE_MS} ${lotteryName} ${count}`
        ),
    }));
  });
}

outboxTest(
  "the outbox gets each window once it is closed, and what is late after that",
  async ({ outbox, count, close, pending }) => {
    for (const window of [0, 1, 2]) await count(window, "keno");
    await outbox.fill();
    assert.deepEqual(await pending(), [], "nothing is closed");
    await close(2);
    assert.deepEqual(await pending(), [], "not put there yet");
    await count(1, "keno");
    await outbox.fill();
    assert.deepEqual(await pending(), ["0 keno 1", "1 keno 2"]);
    const [first] = await outbox.next(1);

    await outbox.remove(await outbox.next(100));
    await outbox.fill();
    assert.deepEqual(await pending(), []);
    await count(0, "keno");
    await count(0, "late");
    await count(2, "keno");
    assert.deepEqual(await pending(), ["0 keno 2", "0 late 1"], "the open window is not there");
    const [corrected] = await outbox.next(1);
    assert.ok(corrected!.revision > first!.revision);
    assert.deepEqual(corrected!.windowEndMs, START_MS + MINUTE_MS);

    await outbox.remove([first!]);
    assert.deepEqual(
      await pending(),
      ["0 keno 2", "0 late 1"],
      "an old revision takes nothing away",
    );
  },
);

outboxTest(
  "the outbox gets what is replayed into a window that was published, and nothing twice",
  async ({ connection, outbox, count, close, pending }) => {
    await count(0, "keno");
    await close(1);
    await outbox.fill();
    await outbox.remove(await outbox.next(100));
    await connection.query({
      text: `
        insert into dead_letters (topic, partition, kafka_offset, reason, headers)
        select 'user-events', 0, n, 'not_json', '[]' from generate_series(7, 8) as n`,
    });
    const store = new DeadLetterStore(connection, "user-events");
    const replays = [[7, "keno"], [8, "mega_draw"]].map(([offset, lotteryName]) => ({
      position: { partition: 0, offset: offset as number },
      value: new Uint8Array(),
      event: { lotteryName: lotteryName as string, eventType: "pay", timestampMs: START_MS + 5 },
    }));
    const rules = await store.rules();
    assert.equal((await store.replay(replays, rules)).length, 2);
    assert.deepEqual(await store.replay(replays, rules), []);
    assert.deepEqual(await pending(), ["0 keno 2", "0 mega_draw 1"]);
  },
);

outboxTest(
  "the outbox takes a large table in steps of whole windows",
  async ({ connection, outbox, close }) => {
    await connection.query({
      text: `
      insert into lottery_aggregates
      select start, start + interval '1 minute', 'lottery ' || n, 'pay', 1
      from generate_series($1::timestamptz, $1 + interval '2 minutes', '1 minute') as start,
        generate_series(1, 3000) as n`,
      values: [new Date(START_MS)],
    });
    await close(2);
    const waiting = async () => (await outbox.next(10_000)).length;
    await outbox.fill();
    assert.equal(await waiting(), 3_000);
    await outbox.fill();
    assert.equal(await waiting(), 6_000);
    await outbox.fill();
    assert.equal(await waiting(), 6_000);
  },
);

outboxTest(
  "a count that is stored while its window goes into the outbox is not missed",
  async ({ connection, url, count, close, pending }) => {
    await count(0, "keno");
    await close(1);
    await using committing = new Connection(url);
    await using watching = new Connection(url);
    let filling = Promise.resolve();
    await committing.transaction(async () => {
      await openSink(committing).commit(commitOf([[0, 1, 2]], { counts: [countOf(0, "keno")] }));
      filling = new PostgresOutbox(connection, "other").fill();
      await eventually(async () => {
        const waiting = await watching.query({
          text: `
          select from pg_stat_activity
          where datname = current_database() and wait_event_type = 'Lock'
            and query like '%fill_outbox%'`,
        });
        return waiting.length > 0;
      });
    });
    await filling;
    assert.deepEqual(await pending(), ["0 keno 2"]);
  },
);

outboxTest(
  "revisions stay greater than those that consumers have, also when the database is restored",
  async ({ connection, outbox, count, close }) => {
    await count(0, "keno");
    await close(1);
    await outbox.renewRevisions();
    await outbox.fill();
    const [published] = await outbox.next(1);
    await outbox.remove([published!]);

    // As it was before the first one began to publish; an event came before the next one did.
    await connection.query({ text: "select setval('count_revisions', 1)" });
    await count(0, "keno");
    assert.ok((await outbox.next(1))[0]!.revision < published!.revision);
    await outbox.renewRevisions();
    const [corrected] = await outbox.next(1);
    assert.ok(corrected!.revision > published!.revision);
    assert.equal(corrected!.count, 2);
    await count(0, "keno");
    assert.ok((await outbox.next(1))[0]!.revision > corrected!.revision);
  },
);

outboxTest(
  "one worker at a time has the right to publish, until it is silent for too long",
  async ({ connection, outbox }) => {
    const other = new PostgresOutbox(connection, "second");
    assert.deepEqual([await outbox.claim(), await other.claim(), await outbox.claim()], [
      true,
      false,
      true,
    ]);
    await other.release();
    assert.equal(await other.claim(), false, "nobody gives back what another one has");
    await connection.query({
      text: "update output_publisher set held_until = now() - interval '1 second'",
    });
    assert.deepEqual([await other.claim(), await outbox.claim()], [true, false]);
    await other.release();
    assert.equal(await outbox.claim(), true);
  },
);

outboxTest(
  "lottery_windows says of each window whether it is closed",
  async ({ connection, first, count }) => {
    for (const [window, lottery] of [[0, "keno"], [0, "keno"], [0, "mega_draw"], [1, "keno"]]) {
      await count(window as number, lottery as string);
    }
    const windows = () =>
      connection.query({
        text: `
        select
          extract(epoch from window_start)::bigint as start,
          extract(epoch from window_end)::bigint as end,
          closed, events, lotteries
        from lottery_windows
        order by window_start`,
      });
    const rowOf = (window: number, closed: boolean, events: number, lotteries: number) => {
      const start = START_MS / 1000 + 60 * window;
      return { start, end: start + 60, closed, events, lotteries };
    };
    assert.deepEqual(await windows(), [rowOf(0, false, 3, 2), rowOf(1, false, 1, 1)]);

    // The grace is a minute: event time has to pass the end by so much.
    const arrive = async (timeMs: number, expectedOffset: number) => {
      const { partitions } = commitOf([[0, expectedOffset, expectedOffset + 1]]);
      const moved = partitions.map((each) => ({ ...each, counted: 0, maxEventTimeMs: timeMs }));
      await first.commit(commitOf([], { partitions: moved }));
      await first.advanceWatermark(1);
    };
    await arrive(START_MS + 2 * MINUTE_MS - 1, 4);
    assert.deepEqual(await windows(), [rowOf(0, false, 3, 2), rowOf(1, false, 1, 1)]);
    await arrive(START_MS + 2 * MINUTE_MS, 5);
    assert.deepEqual(await windows(), [rowOf(0, true, 3, 2), rowOf(1, false, 1, 1)]);
  },
);

outboxTest(
  "the output is to be compared once windows were handed over, and when the database has become another one",
  async ({ connection, outbox, count, close }) => {
    await count(0, "keno");
    assert.equal(await outbox.isReviewDue(), false, "nothing was ever published");
    await close(1);
    await outbox.fill();
    assert.equal(await outbox.isReviewDue(), true);
    await outbox.reviewed();
    assert.equal(await outbox.isReviewDue(), false);
    await connection.query({
      text: `
        update pipeline
        set output_compared_with = regexp_replace(output_compared_with, '/0*1/', '/00000002/')`,
    });
    assert.equal(await outbox.isReviewDue(), true, "another timeline");
    await outbox.reviewed();
    await connection.query({
      text: `
        alter table pipeline rename to pipeline_dumped;
        create table pipeline (like pipeline_dumped including all);
        insert into pipeline table pipeline_dumped`,
    });
    assert.equal(await outbox.isReviewDue(), true, "restored from a dump, on the same server");
    await outbox.reviewed();
    assert.equal(await outbox.isReviewDue(), false);
  },
);

outboxTest(
  "the output is to be compared also by a role that may not ask for the server's timeline",
  async ({ connection, url, count, close }) => {
    await using role = await createRole({
      url,
      connection,
      [Symbol.asyncDispose]: () => Promise.resolve(),
    });
    for (const grant of await grantsOf(role)) await connection.query({ text: grant });
    await connection.query({ text: "revoke execute on function pg_control_system from public" });
    await using worker = new Connection(role.url);
    await assert.rejects(worker.query({ text: "select from pg_control_system()" }));
    const outbox = new PostgresOutbox(worker, "first");
    await count(0, "keno");
    await close(1);
    await outbox.fill();
    assert.equal(await outbox.isReviewDue(), true);
    await outbox.reviewed();
    assert.equal(await outbox.isReviewDue(), false);
  },
);

/** What the role needs to count. */
async function grantsOf({ url }: TestRole): Promise<string[]> {
  await using connection = new Connection(url);
  return await missingGrants(connection);
}

outboxTest(
  "lookUp() says what the table has, and takeAgain() publishes that with a greater revision",
  async ({ outbox, count, close, pending, setHorizon }) => {
    for (const window of [0, 1, 2]) await count(window, "keno");
    await close(2);
    await outbox.fill();
    const keys = [[0, "keno"], [1, "bingo"], [1, "keno"], [2, "keno"]].map(([window, name]) => ({
      windowStartMs: START_MS + Number(window) * MINUTE_MS,
      lotteryName: String(name),
      eventType: "pay",
    }));
    await setHorizon(START_MS + MINUTE_MS);
    assert.deepEqual(await outbox.lookUp(keys), [
      { count: 1, isDeleted: true, isHandedOver: true },
      { count: null, isDeleted: false, isHandedOver: true },
      { count: 1, isDeleted: false, isHandedOver: true },
      { count: 1, isDeleted: false, isHandedOver: false },
    ]);
    const before = await outbox.next(100);
    await outbox.remove(before);
    await outbox.takeAgain(keys.slice(1, 3));
    assert.deepEqual(await pending(), ["1 keno 1"]);
    const [again] = await outbox.next(100);
    assert.ok(before.every(({ revision }) => revision < again!.revision));
  },
);

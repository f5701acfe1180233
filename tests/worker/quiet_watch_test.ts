import assert from "node:assert/strict";
import { migrate } from "../../lib/io/postgres/schema/migrate.ts";
import { Connection, type Query, type Row } from "../../lib/io/postgres/session/connection.ts";
import { WorkerState } from "../../lib/observers/worker_state.ts";
import { QuietWatch } from "../../lib/worker/quiet_watch.ts";
import { openPostgresHarness } from "../io/postgres/harness.ts";
import { eventually } from "../support/eventually.ts";
import { kcatProduce } from "../support/kcat.ts";
import { MailServer } from "../support/mail_server.ts";
import { storeMinutes } from "../support/minutes.ts";
import { createDatabase } from "../support/postgres.ts";
import { serverTest } from "../support/servers.ts";
import { openStack, recordsRead, type TestStack } from "../support/stack.ts";
import { Program } from "../support/worker_process.ts";

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
const PER_MINUTE = 4;

interface Times {
  readonly nowMs: number;
  readonly fromMinute: number;
  readonly toMinute: number;
}

/** Payments of each minute in a range that is counted from now. */
function payments(lottery_name: string, { nowMs, fromMinute, toMinute }: Times): string[] {
  return Array.from({ length: (toMinute - fromMinute) * PER_MINUTE }, (_, n) => {
    const timestamp = nowMs + (fromMinute + n / PER_MINUTE) * MINUTE_MS;
    return JSON.stringify({ lottery_name, event_type: "pay", timestamp: Math.floor(timestamp) });
  });
}

/** A week of this time of the day, for two lotteries, that ends so many minutes before now. */
function week(nowMs: number, endMinutes: Readonly<Record<string, number>>): string[] {
  return [7, 6, 5, 4, 3, 2, 1, 0].flatMap((days) =>
    Object.entries(endMinutes).flatMap(([lotteryName, endMinute]) =>
      payments(lotteryName, {
        nowMs: nowMs - days * DAY_MS,
        fromMinute: -180,
        toMinute: days === 0 ? -endMinute : 120,
      })
    )
  );
}

/** Settings of a worker that watches payments. */
function envOf(stack: TestStack, mails: MailServer): Record<string, string> {
  return { ...stack.env, ...mails.env, ALERT_QUIET_TYPES: "pay" };
}

async function produceAll(stack: TestStack, lines: readonly string[], before = 0): Promise<number> {
  await kcatProduce(stack.topic, lines);
  const records = before + lines.length;
  await eventually(async () => await recordsRead(stack.database).catch(() => 0) === records);
  return records;
}

serverTest(
  "a lottery that is not paid for is mailed once, by whichever worker, and that it is over",
  ["kafka", "postgres", "openssl"],
  async () => {
    await using stack = await openStack({ partitions: 2 });
    await using mails = await MailServer.start();
    const env = envOf(stack, mails);
    const nowMs = Date.now();
    let records = 0;
    {
      await using _first = await Program.start(["start"], { env });
      await using _second = await Program.start(["start"], { env });
      records = await produceAll(stack, week(nowMs, { mega_draw: 0, keno: 20 }));
      const { subject, text } = await mails.received(/Almost no/);
      assert.match(subject, /Almost no pay of keno: pay of keno: 0 of 60 events \(by 1 week\)/);
      assert.match(text, /quiet since \d{4}-\d\d-\d\d \d\d:\d\d:00Z/);
      assert.match(text, /What to do\r?\n {2}Check what sells these lotteries/);
    }
    // A restart forgets nothing. What is paid again comes late here, into windows that are closed.
    await using _third = await Program.start(["start"], { env });
    await produceAll(
      stack,
      payments("keno", { nowMs, fromMinute: -12, toMinute: 0 }),
      records,
    );
    const { text } = await mails.received(/Recovered: pay of keno again/);
    assert.match(text, /pay of keno: \d\d of 60 events/);
    const subjects = mails.mails.map(({ subject }) => subject).filter((text) => /keno/.test(text));
    assert.equal(subjects.length, 2, subjects.join("\n"));
  },
);

serverTest(
  "a worker that is to judge no lottery forgets which were quiet",
  ["kafka", "postgres"],
  async () => {
    await using stack = await openStack({ partitions: 1 });
    const { database: { connection }, env } = stack;
    await migrate(connection);
    await connection.query({
      text: `
        insert into quiet_lotteries (
          lottery_name, event_type, quiet_since, judged_from, judged_to, event_count,
          expected_count, weeks
        )
        values ('keno', 'pay', now(), now(), now(), 0, 60, 4)`,
    });
    await using _worker = await Program.start(["start"], { env });
    await eventually(async () =>
      (await connection.query({ text: "select from quiet_lotteries" })).length === 0
    );
  },
);

serverTest(
  "that no events arrive at all is a mail of its own, and no lottery is blamed",
  ["kafka", "postgres", "openssl"],
  async () => {
    await using stack = await openStack({ partitions: 2 });
    await using mails = await MailServer.start();
    const nowMs = Date.now();
    await using _worker = await Program.start(["start"], { env: envOf(stack, mails) });
    const records = await produceAll(stack, week(nowMs, { mega_draw: 20, keno: 40 }));
    await using connection = new Connection(stack.database.url);
    await eventually(async () => {
      const [row] = await connection.query<{ closed: boolean }>({
        text: "select closed_up_to is not null as closed from pipeline",
      });
      return row?.closed;
    });
    await connection.query({
      text: "update kafka_offsets set updated_at = now() - interval '20 minutes'",
    });
    const { text } = await mails.received(/No events arrive: none is newer than/);
    assert.match(text, /(119|120) were expected within 15 minutes since then \(by 1 week\)/);
    await produceAll(
      stack,
      payments("mega_draw", { nowMs: Date.now(), fromMinute: -1, toMinute: 0 }),
      records,
    );
    await mails.received(/Recovered: events arrive again/);
    assert.equal(mails.mails.length, 2);
  },
);

serverTest(
  "what a judgement in progress finds is told before the watch has ended",
  ["postgres"],
  async () => {
    await using database = await createDatabase();
    await using harness = await openPostgresHarness(database.url);
    const { connection } = harness;
    const closedMs = Math.floor(Date.now() / MINUTE_MS - 1) * MINUTE_MS;
    const time = (ms: number) => new Date(ms).toISOString();
    await storeMinutes(connection, {
      from: time(closedMs - 8 * DAY_MS),
      to: time(closedMs - 20 * MINUTE_MS),
      events: "10",
    });
    await connection.query({
      text: "update pipeline set closed_up_to = $1",
      values: [time(closedMs)],
    });
    const state = new WorkerState();
    state.assigned([0]);
    const told: string[] = [];
    const watch = new QuietWatch({
      quiet: { types: ["pay"], minutes: 15, share: 0.2, minExpected: 20, zone: "UTC" },
      ...{ windowMs: MINUTE_MS, graceMs: 0, state, connection: new Connection(database.url) },
      onChange: ({ title }) => told.push(title),
    });
    let ended = Promise.resolve();
    await connection.transaction(async () => {
      await connection.query({ text: "lock table quiet_lotteries in share row exclusive mode" });
      watch.begin();
      await eventually(async () => {
        const waiting = await connection.query({
          text: "select from pg_locks where not granted and relation = 'quiet_lotteries'::regclass",
        });
        return waiting.length > 0;
      });
      ended = watch[Symbol.asyncDispose]();
    });
    await ended;
    assert.deepEqual(told, ["Almost no pay of keno"]);
  },
);

/** A connection to nowhere, which keeps what it was asked. */
class Asked extends Connection {
  readonly queries: Query[] = [];

  constructor() {
    super("postgres://nowhere");
  }

  override query<T extends Row>(query: Query): Promise<T[]> {
    this.queries.push(query);
    return Promise.resolve([]);
  }
}

Deno.test("the worker that counts partition 0 judges windows that are closed in time, and no other", async () => {
  const [windowMs, graceMs] = [15 * MINUTE_MS, 10 * MINUTE_MS];
  for (const [partitions, isAsked] of [[null, false], [[1, 2], false], [[0, 2], true]] as const) {
    const [connection, state] = [new Asked(), new WorkerState()];
    if (partitions) state.assigned(partitions);
    await using watch = new QuietWatch({
      quiet: { types: ["pay"], minutes: 15, share: 0.2, minExpected: 20, zone: "UTC" },
      ...{ windowMs, graceMs, connection, state, onChange: () => {} },
    });
    watch.begin();
    assert.equal(connection.queries.length, isAsked ? 1 : 0);
    if (isAsked) assert.ok(Number(connection.queries[0]!.values![5]) > windowMs + graceMs);
  }
});

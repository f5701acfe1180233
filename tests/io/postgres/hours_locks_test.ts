import assert from "node:assert/strict";
import { DeadLetterStore } from "../../../lib/io/postgres/dead_letters.ts";
import { claimPipeline } from "../../../lib/io/postgres/identity.ts";
import { compareHours } from "../../../lib/io/postgres/queries/audit/hour_comparison.ts";
import { readBooksDifference } from "../../../lib/io/postgres/queries/watch/books.ts";
import { migrate } from "../../../lib/io/postgres/schema/migrate.ts";
import { Connection } from "../../../lib/io/postgres/session/connection.ts";
import { FencedError } from "../../../lib/pipeline/sink.ts";
import { assertHoursAreSums } from "../../support/hour_sums.ts";
import { migrateToFirstRelease } from "../../support/first_release.ts";
import { createDatabase } from "../../support/postgres.ts";
import { serverTest } from "../../support/servers.ts";
import { commitOf } from "../../support/sink_contract.ts";
import { IDENTITY, openSink, ORIGIN } from "./harness.ts";

const MINUTE_MS = 60_000;
const START_MS = Date.UTC(2026, 0, 31, 12);
const MINUTES = 180;
const LOTTERIES = 10;
const LETTERS = 200;

/** Three hours of ten lotteries, counted by a version without hours, and dead letters. */
async function countBefore(connection: Connection): Promise<void> {
  await migrateToFirstRelease(connection);
  await claimPipeline(connection, { identity: IDENTITY, origin: ORIGIN });
  await openSink(connection).positions(new Map([[0, 0], [1, 0], [2, 0]]));
  await connection.query({
    text: `
      insert into lottery_aggregates
      select at, at + interval '1 minute', 'lottery ' || n, 'pay', 1
      from generate_series(0, ${MINUTES - 1}) as minute, generate_series(0, ${LOTTERIES - 1}) as n,
        lateral (select $1::timestamptz + minute * interval '1 minute' as at) as starts`,
    values: [new Date(START_MS)],
  });
  await connection.query({
    text: `
      insert into dead_letters (topic, partition, kafka_offset, reason, headers)
      select '${IDENTITY.topic}', 0, -n, 'not_json', '[]' from generate_series(1, ${LETTERS}) as n`,
  });
  await connection.query({
    text: `
      update kafka_offsets set
        max_event_time = $1,
        counted = case partition when 0 then ${MINUTES * LOTTERIES} else 0 end`,
    values: [new Date(START_MS + MINUTES * MINUTE_MS)],
  });
}

/** Numbers that look random, the same in each run. */
function* numbers(seed: number): Generator<number, never> {
  for (let state = seed;;) yield state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
}

/** Half of the rows of the newest minutes, in no order; now and then also an older row. */
function someCounts(random: Generator<number, never>) {
  const below = (limit: number) => (random.next().value >> 8) % limit;
  const keys = Array.from({ length: 12 }, () => [MINUTES - 1 - below(6), below(4)] as const);
  if (below(8) === 0) keys.push([below(MINUTES), below(LOTTERIES)]);
  const rows = new Map(keys.map(([minute, lottery]) => [`${minute} ${lottery}`, {
    windowStartMs: START_MS + minute * MINUTE_MS,
    lotteryName: `lottery ${lottery}`,
    eventType: "pay",
    count: 1,
  }]));
  return [...rows.values()];
}

serverTest(
  "commits, replays, fills, expiries, rebuilds and publishing at once wait for each other in one order, and lose nothing",
  ["postgres"],
  async () => {
    await using database = await createDatabase();
    await using opened = new AsyncDisposableStack();
    const open = () => opened.use(new Connection(database.url));
    const { connection } = database;
    await countBefore(connection);
    await migrate(connection);

    let isOver = false;
    const did = {
      stored: 0,
      fenced: 0,
      replayed: 0,
      filled: 0,
      expired: 0,
      rebuilt: 0,
      balanced: 0,
    };
    const committing = async (partition: number) => {
      const sink = openSink(open());
      const random = numbers(partition + 1);
      for (let offset = 0; !isOver;) {
        const counts = someCounts(random);
        const next = offset + counts.length;
        try {
          await sink.commit(commitOf([[partition, offset, next]], { counts }));
          offset = next;
          did.stored++;
        } catch (error) {
          assert.ok(error instanceof FencedError && /is deleted/.test(error.message), `${error}`);
          did.fenced++;
        }
      }
    };
    const replaying = async () => {
      const store = new DeadLetterStore(open(), IDENTITY.topic);
      const rules = await store.rules();
      const random = numbers(7);
      for (let letter = 1; !isOver && letter <= LETTERS; letter += 4) {
        const replays = someCounts(random).slice(0, 4).map((row, n) => ({
          position: { partition: 0, offset: -(letter + n) },
          value: new TextEncoder().encode("{}"),
          event: { ...row, timestampMs: row.windowStartMs },
        }));
        did.replayed += (await store.replay(replays, rules)).length;
      }
    };
    const publishing = async () => {
      const session = open();
      for (let minute = 0; !isOver; minute++) {
        await session.query({
          text: "update pipeline set closed_up_to = greatest(closed_up_to, $1)",
          values: [new Date(START_MS + minute * MINUTE_MS)],
        });
        await session.query({ text: "select fill_outbox(50)" });
        await session.query({ text: "select renew_revisions()" });
      }
    };
    const filling = async () => {
      const session = open();
      for (let from: Date | null = new Date(); from !== null; did.filled++) {
        const [row] = await session.query<{ hours_from: Date | null }>({
          text: "select fill_hours(40) as hours_from",
        });
        from = row!.hours_from;
      }
    };
    const expiring = async () => {
      const session = open();
      for (let minute = 5; minute <= MINUTES - 30; minute += 5) {
        for (const step of ["expire_aggregates", "expire_hours"]) {
          await session.query({
            text: `select ${step}(0, 60, to_timestamp($1::bigint / 1000.0))`,
            values: [START_MS + minute * MINUTE_MS],
          });
        }
        did.expired++;
      }
    };
    const rebuilding = async () => {
      const session = open();
      for (; !isOver; did.rebuilt++) await session.query({ text: "call rebuild_hours()" });
    };
    const balancing = async () => {
      const session = open();
      while (!isOver) {
        const difference = await readBooksDifference(session);
        if (difference !== null) assert.equal(difference, 0, `after ${did.balanced++} times`);
      }
    };
    const aging = async () => {
      await Promise.all([filling(), filling()]);
      await Promise.all([expiring(), expiring()]);
      isOver = true;
    };
    try {
      await Promise.all([
        committing(0),
        committing(1),
        committing(2),
        replaying(),
        publishing(),
        rebuilding(),
        balancing(),
        aging(),
      ]);
    } finally {
      isOver = true;
    }

    for (const [what, times] of Object.entries(did)) assert.ok(times > 3, `${what}: ${times}`);
    await assertHoursAreSums(connection);
    assert.equal((await compareHours(connection, { maxDifferences: 1 })).hours.wrong, 0);
    const [sums] = await connection.query<Record<string, number>>({
      text: `
        select
          (select sum(event_count)::bigint from lottery_aggregates) + deleted_events as events,
          (select sum(event_count)::bigint from lottery_hours) + deleted_hour_events as hour_events,
          (select sum(counted)::bigint from kafka_offsets) + replayed_letters as counted,
          deleted_events, deleted_hour_events
        from pipeline`,
    });
    assert.equal(sums!.events, sums!.counted);
    assert.equal(sums!.hour_events, sums!.counted);
    assert.ok(sums!.deleted_events! > 0 && sums!.deleted_hour_events! > 0);
  },
);

import assert from "node:assert/strict";
import { expireAggregates, expireDeadLetters } from "../../../lib/io/postgres/retention.ts";
import { createDatabase, Postgres } from "../../support/postgres.ts";
import { serverTest } from "../../support/servers.ts";
import { temporaryDirectory } from "../../support/temporary_directory.ts";
import { openPostgresHarness, type PostgresHarness } from "./harness.ts";

const DAY_MS = 86_400_000;
const RETENTION_DAYS = 30;
/** By how much a clock is wrong. */
const AHEAD = 45;
const BEHIND = -45;

/** By how many days each clock is wrong. */
interface Clocks {
  readonly database: number;
  readonly worker: number;
  /** By whose clock events and records have their times. */
  readonly producers: number;
}

/** An event and a dead letter, so many days old in truth. */
const AGES = [0, 1, 20, 29, 31, 40];

async function fill({ connection, first }: PostgresHarness, { producers }: Clocks) {
  const [nowMs, day] = [Date.now(), "interval '1 day'"];
  await first.positions(new Map([[0, 0]]));
  await connection.query({
    text: `
      insert into lottery_aggregates
      select start, start + interval '1 minute', 'keno', 'pay', 1
      from (
        select date_trunc('minute', to_timestamp($1::bigint / 1000.0) - age * ${day}) as start
        from unnest($2::integer[]) as age
      ) starts`,
    values: [nowMs, AGES],
  });
  await connection.query({
    text: "update kafka_offsets set max_event_time = to_timestamp($1::bigint / 1000.0)",
    values: [nowMs + producers * DAY_MS],
  });
  await connection.query({
    text: `
      insert into dead_letters (topic, partition, kafka_offset, reason, headers, record_timestamp, received_at)
      select
        'user-events', 0, age, 'not_json', '[]',
        to_timestamp($1::bigint / 1000.0) - age * ${day} + $3::integer * ${day},
        to_timestamp($1::bigint / 1000.0) - age * ${day}
      from unnest($2::integer[]) as age`,
    values: [nowMs, AGES, producers],
  });
}

/** Ages in days of what is left. */
async function left({ connection }: PostgresHarness) {
  const rows = await connection.query<{ age: number }>({
    text: `
      select floor(extract(epoch from to_timestamp($1::bigint / 1000.0) - window_start) / 86400)::integer as age
      from lottery_aggregates
      order by age`,
    values: [Date.now()],
  });
  const letters = await connection.query<{ age: number }>({
    text: "select kafka_offset as age from dead_letters order by age",
  });
  return { rows: rows.map(({ age }) => age), letters: letters.map(({ age }) => age) };
}

async function expireAll({ connection }: PostgresHarness, { worker }: Clocks) {
  const options = { retentionDays: RETENTION_DAYS, nowMs: Date.now() + worker * DAY_MS };
  await expireAggregates(connection, options);
  await expireDeadLetters(connection, options);
}

const RIGHT: Clocks = { database: 0, worker: 0, producers: 0 };

for (const days of [AHEAD, BEHIND]) {
  serverTest(
    `retention deletes nothing that is not old if any one clock is ${Math.abs(days)} days ${
      days > 0 ? "ahead" : "behind"
    }, and what is old once it is right`,
    ["initdb", "faketime"],
    async () => {
      await using directory = await temporaryDirectory();
      const clock = `${days > 0 ? "+" : ""}${days}d`;
      const server = await Postgres.start(directory.path, { clock });
      using _server = { [Symbol.dispose]: () => server.stop() };
      const wrong = await openPostgresHarness(
        (await createDatabase(server.url)).url,
        () => Promise.resolve(),
      );
      const [{ skew } = { skew: 0 }] = await wrong.connection.query<{ skew: number }>({
        text: "select round(extract(epoch from now()) / 86400)::integer as skew",
      });
      assert.equal(Math.round(skew - Date.now() / DAY_MS), days, "its clock is wrong");
      await fill(wrong, RIGHT);
      await expireAll(wrong, { ...RIGHT, database: days });
      assertYoungAreLeft(await left(wrong));
      await wrong[Symbol.asyncDispose]();

      server.stop();
      await server.restart();
      const databases = [];
      for (const whose of ["worker", "producers"] as const) {
        const clocks = { ...RIGHT, [whose]: days };
        const harness = await openPostgresHarness(
          (await createDatabase(server.url)).url,
          () => Promise.resolve(),
        );
        databases.push(harness);
        await fill(harness, clocks);
        await expireAll(harness, clocks);
        assertYoungAreLeft(await left(harness));
      }
      for (const harness of databases) {
        await harness.connection.query({
          text: "update kafka_offsets set max_event_time = to_timestamp($1::bigint / 1000.0)",
          values: [Date.now()],
        });
        await expireAll(harness, RIGHT);
        const { rows } = await left(harness);
        assert.deepEqual(rows, [0, 1, 20, 29]);
        await harness[Symbol.asyncDispose]();
      }
    },
  );
}

function assertYoungAreLeft({ rows, letters }: Awaited<ReturnType<typeof left>>): void {
  const young = AGES.filter((age) => age < RETENTION_DAYS);
  for (const ages of [rows, letters]) {
    assert.deepEqual(ages.filter((age) => age < RETENTION_DAYS), young);
  }
}

function clockTest(rule: string, body: (harness: PostgresHarness) => Promise<void>): void {
  serverTest(rule, ["postgres"], async () => {
    const database = await createDatabase();
    const release = async () => await database[Symbol.asyncDispose]();
    await using harness = await openPostgresHarness(database.url, release);
    await body(harness);
  });
}

clockTest(
  "a dead letter that was received while the database's clock was behind is as young as its record",
  async (harness) => {
    await fill(harness, RIGHT);
    await harness.connection.query({
      text: "update dead_letters set received_at = received_at - interval '45 days'",
    });
    await expireAll(harness, RIGHT);
    assert.deepEqual((await left(harness)).letters, [0, 1, 20, 29]);
  },
);

clockTest(
  "dead letters grow old where nothing but bad records comes, and by their receipt if their times lie",
  async (harness) => {
    const { connection } = harness;
    await fill(harness, RIGHT);
    await connection.query({ text: "update kafka_offsets set max_event_time = null" });
    await expireAll(harness, RIGHT);
    assert.deepEqual(await left(harness), { rows: AGES, letters: [0, 1, 20, 29] });
    await connection.query({
      text: `
        update dead_letters set
          received_at = now() - interval '31 days',
          record_timestamp = case when kafka_offset > 0 then '9999-12-31'::timestamptz end`,
    });
    await expireAll(harness, RIGHT);
    assert.deepEqual((await left(harness)).letters, []);
  },
);

clockTest("expireAggregates() deletes nothing before an event was counted", async (harness) => {
  await fill(harness, RIGHT);
  await harness.connection.query({ text: "delete from kafka_offsets" });
  await expireAll(harness, RIGHT);
  assert.deepEqual((await left(harness)).rows, AGES);
});

for (const late of ["worker", "producers"] as const) {
  clockTest(
    `expireAggregates() deletes only what is old by the ${late} as well, however late they are`,
    async (harness) => {
      const { connection } = harness;
      await fill(harness, { ...RIGHT, producers: late === "producers" ? -5 : 0 });
      const nowMs = Date.now() - (late === "worker" ? 5 * DAY_MS : 0);
      await expireAggregates(connection, { retentionDays: RETENTION_DAYS, nowMs });
      assert.deepEqual((await left(harness)).rows, [0, 1, 20, 29, 31], "31 days are 26 by them");
    },
  );
}

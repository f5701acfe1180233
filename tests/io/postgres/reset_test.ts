import assert from "node:assert/strict";
import { OperatorError } from "../../../lib/core/failure.ts";
import {
  assertMayResetCounts,
  resetCounts,
  resetLog,
  resetSettings,
} from "../../../lib/io/postgres/reset.ts";
import { missingGrants } from "../../../lib/io/postgres/schema/rights.ts";
import { Connection } from "../../../lib/io/postgres/session/connection.ts";
import { FencedError } from "../../../lib/pipeline/sink.ts";
import { createDatabase } from "../../support/postgres.ts";
import { createRole } from "../../support/role.ts";
import { serverTest } from "../../support/servers.ts";
import { commitOf } from "../../support/sink_contract.ts";
import { IDENTITY, openPostgresHarness, type PostgresHarness } from "./harness.ts";

const AT_10 = new Map([[0, 10]]);

const RESETS: Readonly<Record<string, (harness: PostgresHarness) => Promise<void>>> = {
  "resetCounts()": ({ connection }) => resetCounts(connection, { epoch: 1, identity: IDENTITY }),
  "resetLog() to where it stands": ({ connection }) =>
    resetLog(connection, { epoch: 1, identity: IDENTITY, offsets: AT_10 }),
  "resetLog() to another topic": ({ connection }) =>
    resetLog(connection, { epoch: 1, identity: { ...IDENTITY, topic: "other" }, offsets: AT_10 }),
  "resetSettings()": ({ connection }) =>
    resetSettings(connection, { epoch: 1, identity: IDENTITY, changesRules: false }),
  "resetSettings() of rules": ({ connection }) =>
    resetSettings(connection, { epoch: 1, identity: IDENTITY, changesRules: true }),
};

for (const [name, reset] of Object.entries(RESETS)) {
  serverTest(
    `${name} shuts out a worker from before, whatever it tries`,
    ["postgres"],
    async () => {
      const database = await createDatabase();
      const release = async () => await database[Symbol.asyncDispose]();
      await using harness = await openPostgresHarness(database.url, release);
      const { first, stored, connection } = harness;
      await first.positions(new Map([[0, 0], [1, 0]]));
      await first.commit(commitOf([[0, 0, 10]]));
      await reset(harness);
      const before = await stored();
      for (const [from, to] of [[10, 20], [0, 10]] as const) {
        await assert.rejects(first.commit(commitOf([[0, from, to]])), FencedError);
        await assert.rejects(first.commit(commitOf([[1, from, to]])), FencedError);
      }
      await assert.rejects(
        first.positions(new Map([[0, 0], [1, 0]])),
        (error: Error) => error instanceof OperatorError && /was reset while/.test(error.message),
      );
      assert.deepEqual(await stored(), before);
      const [{ epoch, own } = { epoch: 0, own: 0 }] = await connection.query<
        { epoch: number; own: number }
      >({
        text: `
        select epoch, (select count(*) from kafka_offsets o where o.epoch < p.epoch and topic = p.topic) as own
        from pipeline p`,
      });
      assert.deepEqual([epoch, own], [2, 0]);
      await assert.rejects(reset(harness), /another process has just reset the pipeline/);
    },
  );
}

serverTest(
  "resetCounts() forgets what was deleted, replayed and published; resetLog() keeps it",
  ["postgres"],
  async () => {
    const database = await createDatabase();
    const release = async () => await database[Symbol.asyncDispose]();
    await using harness = await openPostgresHarness(database.url, release);
    const { first, connection } = harness;
    await first.positions(AT_10);
    await first.commit(commitOf([[0, 10, 20]]));
    await connection.query({
      text: `
        update pipeline set
          aggregates_horizon = now(), deleted_events = 5, replayed_letters = 6,
          watermark = now(), closed_up_to = now(), outbox_up_to = now();
        insert into dead_letter_horizons values ('user-events', 0, 7, 3);
        insert into outbox
        select window_start, window_end, lottery_name, event_type, event_count, 1
        from lottery_aggregates`,
    });
    const remembered = async () => {
      const [row] = await connection.query({
        text: `
          select
            num_nulls(aggregates_horizon, watermark, closed_up_to, outbox_up_to) as nulls,
            deleted_events, replayed_letters,
            (select string_agg(topic, ' ') from dead_letter_horizons) as dead_letter_horizons,
            (select count(*) from outbox) as waiting
          from pipeline`,
      });
      return Object.values(row!);
    };
    await resetLog(connection, { epoch: 1, identity: IDENTITY, offsets: AT_10 });
    assert.deepEqual(await remembered(), [0, 5, 6, "user-events (epoch 1)", 1]);
    await resetCounts(connection, { epoch: 2, identity: IDENTITY });
    assert.deepEqual(await remembered(), [4, 0, 0, null, 0]);
  },
);

serverTest(
  "a role that reads holds up no reset that keeps the counts, and is named by one that deletes them",
  ["postgres"],
  async () => {
    await using database = await createDatabase();
    await using role = await createRole(database);
    await using harness = await openPostgresHarness(database.url);
    const { first, connection } = harness;
    await first.positions(AT_10);
    await connection.query({
      text: `grant select on all tables in schema public to ${role.name}`,
    });
    await using reader = new Connection(role.url, "Grafana");
    await reader.query({ text: "set idle_in_transaction_session_timeout = 0" });
    await reader.query({ text: "begin" });
    await reader.query({
      text: "select from lottery_aggregates, kafka_offsets, dead_letters, pipeline",
    });
    await resetSettings(connection, { epoch: 1, identity: IDENTITY, changesRules: true });
    await resetLog(connection, { epoch: 2, identity: IDENTITY, offsets: AT_10 });
    await assert.rejects(
      resetCounts(connection, { epoch: 3, identity: IDENTITY }),
      new RegExp(`because other sessions use them: Grafana of ${role.name} \\(\\d+\\)\\. Wait`),
    );
    await reader.query({ text: "commit" });
    await resetCounts(connection, { epoch: 3, identity: IDENTITY });
  },
);

serverTest(
  "a worker's rights are enough for the resets that keep the counts, and truncate for the other",
  ["postgres"],
  async () => {
    await using database = await createDatabase();
    await using role = await createRole(database);
    await using harness = await openPostgresHarness(database.url);
    const { first, connection } = harness;
    await first.positions(AT_10);
    await using worker = new Connection(role.url);
    for (const grant of await missingGrants(worker)) await connection.query({ text: grant });
    await resetSettings(worker, { epoch: 1, identity: IDENTITY, changesRules: true });
    await resetLog(worker, { epoch: 2, identity: IDENTITY, offsets: AT_10 });
    const recount = () => resetCounts(worker, { epoch: 3, identity: IDENTITY });
    await assert.rejects(recount(), /lacks a required right/);
    await assert.rejects(
      assertMayResetCounts(worker),
      new RegExp(`role of DATABASE_URL is ${role.name}\\. Run \`reset --recount\` as \\w+$`),
    );
    await connection.query({
      text: `grant truncate on all tables in schema public to ${role.name}`,
    });
    await assertMayResetCounts(worker);
    await recount();
  },
);

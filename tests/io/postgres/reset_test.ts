import assert from "node:assert/strict";
import { OperatorError } from "../../../lib/core/failure.ts";
import { FencedError } from "../../../lib/endpoints.ts";
import { resetCounts, resetLog, resetSettings } from "../../../lib/io/postgres/reset.ts";
import { createDatabase } from "../../support/postgres.ts";
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
      await assert.rejects(reset(harness), /somebody else has reset the pipeline/);
    },
  );
}

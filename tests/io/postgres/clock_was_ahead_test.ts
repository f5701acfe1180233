import assert from "node:assert/strict";
import { PostgresAlertClaims } from "../../../lib/io/postgres/alert_claims.ts";
import { PostgresOutbox } from "../../../lib/io/postgres/outbox.ts";
import { readHistories } from "../../../lib/io/postgres/queries/audit/snapshot.ts";
import { recentDeadLetters } from "../../../lib/io/postgres/queries/dead_letter_counts.ts";
import { createDatabase } from "../../support/postgres.ts";
import { serverTest } from "../../support/servers.ts";
import { commitOf } from "../../support/sink_contract.ts";
import { openPostgresHarness, type PostgresHarness } from "./harness.ts";

const LATER = "now() + interval '45 days'";

function clockTest(rule: string, body: (harness: PostgresHarness) => Promise<void>): void {
  serverTest(rule, ["postgres"], async () => {
    const database = await createDatabase();
    const release = async () => await database[Symbol.asyncDispose]();
    await using harness = await openPostgresHarness(database.url, release);
    await body(harness);
  });
}

clockTest(
  "a clock that was ahead, and is right again, keeps nobody from mailing and publishing",
  async ({ connection }) => {
    await connection.query({
      text: `
        insert into alerts (cause, mailed_at) values ('kafka_away', ${LATER});
        insert into output_publisher (holder, held_until) values ('dead', ${LATER});
        insert into dead_letters (topic, partition, kafka_offset, reason, headers, received_at)
        values ('user-events', 0, 7, 'not_json', '[]', ${LATER})`,
    });
    const claims = new PostgresAlertClaims(connection, () => false);
    assert.equal(await claims.claim("kafka_away", 900_000), 0);
    assert.equal(await claims.claim("kafka_away", 900_000), null);
    assert.equal(await new PostgresOutbox(connection, "living").claim(), true);
    assert.equal(await new PostgresOutbox(connection, "another").claim(), false);
    assert.deepEqual(await recentDeadLetters(connection), [], "not those of the last minute");
  },
);

clockTest(
  "a clock that was ahead, and is right again, holds back neither the watermark nor notes for audit",
  async ({ connection, first }) => {
    await first.positions(new Map([[0, 0], [1, 0]]));
    await first.commit(commitOf([[0, 0, 5], [1, 0, 5]]));
    await connection.query({
      text: `
        update kafka_offsets set updated_at = ${LATER}, caught_up_at = now() where partition = 1;
        update kafka_offsets set max_event_time = max_event_time + interval '1 hour' where partition = 0;
        update offset_history set at = ${LATER}`,
    });
    const [{ expected } = { expected: null }] = await connection.query<{ expected: Date }>({
      text: "select max_event_time as expected from kafka_offsets where partition = 0",
    });
    assert.equal(await first.advanceWatermark(2), expected!.getTime());
    await first.commit(commitOf([[0, 5, 9]]));
    const [{ notes } = { notes: 0 }] = await connection.query<{ notes: number }>({
      text: "select count(*) as notes from offset_history where partition = 0",
    });
    assert.equal(notes, 2);
    assert.deepEqual(
      (await readHistories(connection, "user-events"))[0]!.entries.map((each) => each.nextOffset),
      [0, 5],
      "in the order of offsets, whatever their times say",
    );
  },
);

clockTest(
  "notes for audit are thinned only when event time has passed them by a month",
  async ({ connection, first }) => {
    await first.positions(new Map([[0, 0]]));
    const noteAll = async (eventTime: string) => {
      await connection.query({
        text: `
          delete from offset_history;
          insert into offset_history (topic, partition, next_offset, max_event_time, counted, dead, at)
          select
            'user-events', 0, n, '2026-01-01'::timestamptz + n * interval '10 minutes', n, 0,
            -- As noted 45 days ago by a clock that was right, or now by one that is ahead.
            date_trunc('day', now()) - interval '45 days' + n * interval '10 minutes'
          from generate_series(0, 20) as n;
          update kafka_offsets set max_event_time = ${eventTime}`,
      });
      const [{ at } = { at: 0 }] = await connection.query<{ at: number }>({
        text: "select next_offset as at from kafka_offsets",
      });
      await first.commit(commitOf([[0, at, at + 1]]));
      return (await connection.query({ text: "select from offset_history" })).length;
    };
    assert.equal(await noteAll("'2026-01-02'"), 22);
    assert.equal(await noteAll("'2026-03-01'"), 2);
  },
);

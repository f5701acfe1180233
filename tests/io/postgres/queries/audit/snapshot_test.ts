import assert from "node:assert/strict";
import { openAudit } from "../../../../../lib/io/postgres/queries/audit/snapshot.ts";
import {
  Connection,
  type Query,
  type Row,
} from "../../../../../lib/io/postgres/session/connection.ts";
import { createDatabase } from "../../../../support/postgres.ts";
import { serverTest } from "../../../../support/servers.ts";
import { commitOf } from "../../../../support/sink_contract.ts";
import { IDENTITY, openPostgresHarness } from "../../harness.ts";

serverTest(
  "openAudit() ends between two queries once it is aborted, and leaves the connection free",
  ["postgres"],
  async () => {
    await using database = await createDatabase();
    await using harness = await openPostgresHarness(database.url);
    const { connection } = harness;
    const stop = new AbortController();
    const options = {
      topic: IDENTITY.topic,
      windowMs: 60_000,
      maxHourDifferences: 1,
      signal: stop.signal,
    };
    assert.equal((await openAudit(connection, options)).report().verdict, "agrees");
    const reason = new Error("stopped");
    const opening = openAudit(connection, options);
    stop.abort(reason);
    await assert.rejects(opening, reason);
    const [row] = await connection.query<{ isolation: string }>({
      text: "select current_setting('transaction_isolation') as isolation",
    });
    assert.equal(row!.isolation, "read committed");
  },
);

/** Lets something happen before each query of an audit but the one that begins it. */
class Interrupted extends Connection {
  readonly #between: () => Promise<void>;
  #queries = 0;

  constructor(url: string, between: () => Promise<void>) {
    super(url);
    this.#between = between;
  }

  override async query<T extends Row>(query: Query): Promise<T[]> {
    if (this.#queries++ > 2) await this.#between();
    return await super.query<T>(query);
  }
}

serverTest(
  "openAudit() has all tables as they were at one moment, whatever is committed meanwhile",
  ["postgres"],
  async () => {
    await using database = await createDatabase();
    await using harness = await openPostgresHarness(database.url);
    let offset = 0;
    const commit = async () => {
      await harness.first.commit(commitOf([[0, offset, ++offset]]));
    };
    await harness.first.positions(new Map([[0, 0]]));
    await commit();
    await using connection = new Interrupted(database.url, commit);
    const audit = await openAudit(connection, {
      topic: IDENTITY.topic,
      windowMs: 60_000,
      maxHourDifferences: 1,
    });
    assert.ok(offset > 5, `${offset} commits`);
    const { ledger, ledgerDifferences, hours } = audit.report();
    assert.deepEqual(ledgerDifferences, []);
    assert.deepEqual(hours, { agreeing: 1, wrong: 0, notProvable: 0 });
    assert.deepEqual([ledger.counted, ledger.events, ledger.hourEvents], [1, 1, 1]);
  },
);

serverTest(
  "openAudit() names letters that are changed of a log that a reset has left",
  ["postgres"],
  async () => {
    await using database = await createDatabase();
    await using harness = await openPostgresHarness(database.url);
    const { connection } = harness;
    await connection.query({
      text: `
        insert into kafka_offsets (topic, partition, epoch, next_offset, dead)
        values ('left', 3, 0, 9, 2);
        insert into dead_letters (topic, partition, kafka_offset, reason, value, headers)
        values ('left', 3, 4, 'not_json', 'a', '[]'), ('left', 3, 5, 'not_json', 'a', '[]');
        update dead_letters
        set content_sha256 = letter_sha256(
          record_timestamp, key, value, headers, key_size, value_size, headers_size, record_sha256
        );
        update dead_letters set value = 'b' where kafka_offset = 5`,
    });
    for (const sinceMs of [null, Date.UTC(2026, 0, 1)]) {
      const audit = await openAudit(connection, {
        topic: IDENTITY.topic,
        windowMs: 60_000,
        maxHourDifferences: 1,
        sinceMs,
      });
      const stored = "not_json, content changed";
      assert.deepEqual(audit.report().deadLetterDifferences, [
        { partition: 3, offset: 5, stored, recounted: "not_json, as received" },
      ]);
    }
  },
);

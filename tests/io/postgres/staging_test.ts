import assert from "node:assert/strict";
import type { DeadLetter } from "../../../lib/core/dead_letters/dead_letter.ts";
import { DeadLetterStore } from "../../../lib/io/postgres/dead_letters.ts";
import { readLetters } from "../../../lib/io/postgres/queries/api_reader.ts";
import { recentDeadLetters } from "../../../lib/io/postgres/queries/reader.ts";
import { resetCounts, resetLog } from "../../../lib/io/postgres/reset.ts";
import { Connection } from "../../../lib/io/postgres/session/connection.ts";
import { allStaged, dueStaged, unstage } from "../../../lib/io/postgres/staging.ts";
import { eventually } from "../../support/eventually.ts";
import { createDatabase } from "../../support/postgres.ts";
import { serverTest } from "../../support/servers.ts";
import { commitOf } from "../../support/sink_contract.ts";
import { IDENTITY, openPostgresHarness, type PostgresHarness } from "./harness.ts";

const NOON = Date.UTC(2026, 0, 31, 12);
/** One more than what a commit still stores as rows. */
const FLOOD = 10_001;
const utf8 = (text: string) => new TextEncoder().encode(text);

/** Letters of many kinds, with and without all that one can have. */
function letters(partition: number, from: number, to: number): DeadLetter[] {
  return Array.from({ length: to - from }, (_, n) => {
    const offset = from + n;
    return {
      partition,
      offset,
      reason: offset % 3 === 0 ? "not_json" : "lottery_name_missing",
      recordTimestampMs: offset % 5 === 0 ? -1 : NOON + offset,
      key: offset % 7 === 0 ? utf8(`key ${offset}`) : null,
      value: offset % 11 === 0 ? null : utf8(`value ${"x".repeat(offset % 100)} ${offset}`),
      headers: offset % 1000 === 1 ? [{ key: utf8("trace"), value: utf8(`${offset}`) }] : [],
      cut: offset % 1000 === 2
        ? { keySize: null, valueSize: 1e9 + offset, headersSize: 1, sha256: utf8("a hash") }
        : null,
    };
  });
}

interface Harness extends PostgresHarness {
  readonly url: string;
  /** Commits a flood of the partition's next records. */
  flood(partition: number, from?: number): Promise<void>;
  /** Commits whose letters are staged, and letters that are rows. */
  counts(): Promise<{ readonly staged: number; readonly rows: number }>;
  /** Says that everything was staged so much earlier. */
  age(seconds: number): Promise<void>;
}

function stagingTest(rule: string, body: (harness: Harness) => Promise<void>): void {
  serverTest(rule, ["postgres"], async () => {
    const database = await createDatabase();
    const release = async () => await database[Symbol.asyncDispose]();
    await using harness = await openPostgresHarness(database.url, release);
    const { first, connection } = harness;
    await first.positions(new Map([[0, 0], [1, 0]]));
    await body({
      ...harness,
      url: database.url,
      flood: (partition, from = 0) =>
        first.commit(commitOf([[partition, from, from + FLOOD]], {
          deadLetters: letters(partition, from, from + FLOOD),
        })),
      async counts() {
        const [row] = await connection.query<{ staged: number; rows: number }>({
          text: `
            select
              (select count(*) from dead_letter_staging) as staged,
              (select count(*) from dead_letters) as rows`,
        });
        return row!;
      },
      async age(seconds) {
        await connection.query({
          text:
            "update dead_letter_staging set received_at = received_at - make_interval(secs => $1)",
          values: [seconds],
        });
      },
    });
  });
}

stagingTest(
  "a flood of dead letters is staged, and becomes the rows that others are at once",
  async (harness) => {
    const { first, connection, flood, counts } = harness;
    for (const [from, to] of [[0, 5_000], [5_000, FLOOD]] as const) {
      await first.commit(commitOf([[0, from, to]], { deadLetters: letters(0, from, to) }));
    }
    assert.deepEqual(await counts(), { staged: 0, rows: FLOOD });
    await flood(1);
    assert.deepEqual(await counts(), { staged: 1, rows: FLOOD });

    const differences = async (table: string) => {
      const columns =
        "topic, kafka_offset, reason, record_timestamp, key, value, headers, replayed_at";
      const of = (name: string, partition: number) =>
        `select ${columns} from ${name} where partition = ${partition}`;
      const rows = await connection.query({
        text: `
        (${of("dead_letters", 0)} except ${of(table, 1)})
        union all
        (${of(table, 1)} except ${of("dead_letters", 0)})`,
      });
      return rows.length;
    };
    assert.equal(await differences("all_dead_letters"), 0);
    const receipt = { text: "select max(received_at)::text as at from all_dead_letters" };
    const received = await connection.query(receipt);

    const [staged, ...others] = await allStaged(connection);
    assert.deepEqual([staged!.letters, others], [FLOOD, []]);
    await unstage(connection, staged!);
    await unstage(connection, staged!);
    assert.deepEqual(await counts(), { staged: 0, rows: 2 * FLOOD });
    assert.equal(await differences("dead_letters"), 0);
    assert.deepEqual(await connection.query(receipt), received);
  },
);

stagingTest("whoever looks for dead letters finds those that are staged", async (harness) => {
  const { connection, flood } = harness;
  await flood(0);
  await flood(1);
  const newest = await readLetters(connection, { limit: 2, headBytes: 10 });
  assert.deepEqual(newest.map(({ partition, offset }) => [partition, offset]), [
    [1, FLOOD - 1],
    [1, FLOOD - 2],
  ]);
  assert.deepEqual(await recentDeadLetters(connection), [
    { reason: "lottery_name_missing", records: 2 * Math.floor(FLOOD / 3 * 2) },
    { reason: "not_json", records: 2 * Math.ceil(FLOOD / 3) },
  ]);
  const store = new DeadLetterStore(connection, IDENTITY.topic);
  const positions = [{ partition: 1, offset: 7_000 }, { partition: 0, offset: 1 }];
  const found = await store.find({ isReplayed: false, partition: 1, toOffset: 7_000 }, 1);
  assert.deepEqual(found, [positions[0]]);
  const read = await store.read([...positions, { partition: 9, offset: 9 }]);
  assert.deepEqual(
    read.map(shown),
    [...letters(1, 7_000, 7_001), ...letters(0, 1, 2)].map(shown),
  );
});

function shown({ partition, offset, reason, recordTimestampMs, key, value, headers }: DeadLetter) {
  const [keyText, valueText] = [key, value].map((bytes) =>
    bytes && new TextDecoder().decode(bytes)
  );
  return { partition, offset, reason, recordTimestampMs, keyText, valueText, headers };
}

stagingTest(
  "letters stay staged while the flood lasts, but not for longer than a minute",
  async (harness) => {
    const { connection, flood, age } = harness;
    const due = async () => (await dueStaged(connection)).length;
    const dueInFlood = async () =>
      await connection.transaction(async () => { // in which it is always the same time
        await connection.query({
          text: `
            update dead_letter_staging set received_at = now()
            where id = (select max(id) from dead_letter_staging)`,
        });
        return await due();
      });
    await flood(0);
    await flood(0, FLOOD);
    assert.equal(await dueInFlood(), 0);
    await age(61);
    await flood(0, 2 * FLOOD);
    assert.equal(await dueInFlood(), 2);
    await age(3);
    assert.equal(await due(), 3);
  },
);

stagingTest("a commit with few but large dead letters is staged, too", async (harness) => {
  const { first, counts } = harness;
  const deadLetters = letters(0, 0, 5).map((letter) => ({
    ...letter,
    value: new Uint8Array(500_000),
  }));
  await first.commit(commitOf([[0, 0, 5]], { deadLetters }));
  assert.deepEqual(await counts(), { staged: 1, rows: 0 });
});

stagingTest("several workers make rows of what is staged, each letter once", async (harness) => {
  const { url, flood, counts, age } = harness;
  for (let round = 0; round < 6; round++) await flood(0, round * FLOOD);
  await age(3);
  await Promise.all([1, 2, 3].map(async () => {
    await using connection = new Connection(url);
    for (const staged of await dueStaged(connection)) await unstage(connection, staged);
  }));
  assert.deepEqual(await counts(), { staged: 0, rows: 6 * FLOOD });
});

stagingTest(
  "resetLog() leaves staged letters with their log; resetCounts() deletes them",
  async (harness) => {
    const { connection, flood, counts } = harness;
    await flood(0);
    await resetLog(connection, { epoch: 1, identity: IDENTITY, offsets: new Map([[0, 5]]) });
    const topics = await connection.query({ text: "select distinct topic from all_dead_letters" });
    assert.deepEqual(topics, [{ topic: "user-events (epoch 1)" }]);
    await resetCounts(connection, { epoch: 2, identity: IDENTITY });
    assert.deepEqual(await counts(), { staged: 0, rows: 0 });
  },
);

stagingTest("resetLog() waits for letters that become rows, and finds them", async (harness) => {
  const { connection, url, flood } = harness;
  await flood(0);
  const [staged] = await allStaged(connection);
  await using other = new Connection(url);
  await other.query({ text: "begin" });
  await unstage(other, staged!);
  const offsets = new Map([[0, 5]]);
  const resetting = resetLog(connection, { epoch: 1, identity: IDENTITY, offsets });
  await eventually(async () => {
    const waiting = await other.query({
      text: `
        select
        from pg_locks l join pg_database d on d.oid = l.database
        where not l.granted and l.locktype = 'relation' and d.datname = current_database()`,
    });
    return waiting.length > 0;
  });
  await other.query({ text: "commit" });
  await resetting;
  const topics = await connection.query({ text: "select distinct topic from all_dead_letters" });
  assert.deepEqual(topics, [{ topic: "user-events (epoch 1)" }]);
});

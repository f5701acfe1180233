import assert from "node:assert/strict";
import type { DeadLetter } from "../../../lib/core/dead_letters/dead_letter.ts";
import { OperatorError } from "../../../lib/core/failure.ts";
import { FencedError } from "../../../lib/pipeline/sink.ts";
import { createDatabase } from "../../support/postgres.ts";
import { serverTest } from "../../support/servers.ts";
import { commitOf } from "../../support/sink_contract.ts";
import { openPostgresHarness, type PostgresHarness } from "./harness.ts";

const MINUTE = 1_763_800_020_000;
const encoder = new TextEncoder();

function postgresTest(rule: string, body: (harness: PostgresHarness) => Promise<void>): void {
  serverTest(`PostgresSink ${rule}`, ["postgres"], async () => {
    const database = await createDatabase();
    const release = async () => await database[Symbol.asyncDispose]();
    await using harness = await openPostgresHarness(database.url, release);
    await body(harness);
  });
}

postgresTest("keeps dead letters byte by byte", async ({ first, connection }) => {
  const anyBytes = Uint8Array.from({ length: 256 }, (_, byte) => byte);
  const letters: DeadLetter[] = [
    {
      partition: 0,
      offset: 3,
      reason: "not_utf8",
      recordTimestampMs: MINUTE,
      key: anyBytes,
      value: anyBytes.toReversed(),
      headers: [
        { key: encoder.encode("trace"), value: anyBytes },
        { key: encoder.encode("nul\0"), value: null },
        { key: new Uint8Array([0xff]), value: new Uint8Array() },
        { key: encoder.encode("trace"), value: encoder.encode("again") },
      ],
      cut: null,
    },
    {
      partition: 0,
      offset: 4,
      reason: "tombstone",
      recordTimestampMs: -1,
      key: null,
      value: null,
      headers: [],
      cut: null,
    },
    {
      partition: 0,
      offset: 5,
      reason: "not_json",
      recordTimestampMs: -1,
      key: new Uint8Array(),
      value: new Uint8Array(),
      headers: [],
      cut: null,
    },
  ];
  await first.positions(new Map([[0, 3]]));
  await first.commit(commitOf([[0, 3, 6]], { deadLetters: letters }));

  const rows = await connection.query<Record<string, unknown>>({
    text: `
      select topic, partition, kafka_offset, reason, record_timestamp,
        encode(key, 'hex') as key, encode(value, 'hex') as value, headers
      from dead_letters order by kafka_offset`,
  });
  assert.deepEqual(rows, [
    {
      topic: "user-events",
      partition: 0,
      kafka_offset: 3,
      reason: "not_utf8",
      record_timestamp: new Date(MINUTE),
      key: anyBytes.toHex(),
      value: anyBytes.toReversed().toHex(),
      headers: [
        { key: "trace", value_base64: anyBytes.toBase64() },
        { key_base64: encoder.encode("nul\0").toBase64(), value_base64: null },
        { key_base64: "/w==", value_base64: "" },
        { key: "trace", value_base64: encoder.encode("again").toBase64() },
      ],
    },
    {
      topic: "user-events",
      partition: 0,
      kafka_offset: 4,
      reason: "tombstone",
      record_timestamp: null,
      key: null,
      value: null,
      headers: [],
    },
    {
      topic: "user-events",
      partition: 0,
      kafka_offset: 5,
      reason: "not_json",
      record_timestamp: null,
      key: "",
      value: "",
      headers: [],
    },
  ]);
});

postgresTest(
  "keeps dead letters as they are that come again because an offset was taken back",
  async ({ first, connection }) => {
    const letters = (to: number) =>
      Array.from({ length: to }, (_, offset): DeadLetter => ({
        partition: 0,
        offset,
        reason: "not_json",
        recordTimestampMs: MINUTE,
        key: null,
        value: encoder.encode(`${to}`),
        headers: [],
        cut: null,
      }));
    await first.positions(new Map([[0, 0]]));
    await first.commit(commitOf([[0, 0, 3]], { deadLetters: letters(3) }));
    await connection.query({
      text: `
        update kafka_offsets set next_offset = 0;
        delete from dead_letters where kafka_offset = 1`,
    });
    await first.commit(commitOf([[0, 0, 5]], { deadLetters: letters(5) }));
    const rows = await connection.query<{ value: string }>({
      text: "select convert_from(value, 'UTF8') as value from dead_letters order by kafka_offset",
    });
    assert.deepEqual(rows.map(({ value }) => value), ["3", "5", "3", "5", "5"]);
  },
);

postgresTest(
  "writes windows of the pipeline's size and books per partition",
  async ({ first, connection }) => {
    await first.positions(new Map([[0, 0]]));
    await first.commit(commitOf([[0, 0, 2]]));
    await first.commit(commitOf([[0, 2, 5]]));
    const [counted] = await connection.query<{ size: string; start: Date; event_count: number }>({
      text:
        "select (window_end - window_start)::text as size, window_start as start, event_count from lottery_aggregates",
    });
    assert.deepEqual(counted, { size: "00:01:00", start: new Date(MINUTE), event_count: 5 });
    const [offsets] = await connection.query<Record<string, unknown>>({
      text:
        "select next_offset, counted, dead, max_event_time, last_batch_offset, last_batch_crc from kafka_offsets",
    });
    assert.deepEqual(offsets, {
      next_offset: 5,
      counted: 5,
      dead: 0,
      max_event_time: new Date(MINUTE),
      last_batch_offset: 4,
      last_batch_crc: 0xffff_ffff,
    });
  },
);

postgresTest(
  "lets two workers write the same rows in opposite orders",
  async ({ first, second, connection }) => {
    await first.positions(new Map([[0, 0], [1, 0]]));
    const rows = Array.from({ length: 2_000 }, (_, n) => (
      { windowStartMs: MINUTE, lotteryName: `lottery ${n}`, eventType: "pay", count: 1 }
    ));
    for (let round = 0; round < 5; round++) {
      await Promise.all([
        first.commit(commitOf([[0, round, round + 1]], { counts: rows })),
        second.commit(commitOf([[1, round, round + 1]], { counts: rows.toReversed() })),
      ]);
    }
    const [total] = await connection.query<{ rows: number; least: number; most: number }>({
      text:
        "select count(*) as rows, min(event_count) as least, max(event_count) as most from lottery_aggregates",
    });
    assert.deepEqual(total, { rows: 2_000, least: 10, most: 10 });
  },
);

postgresTest(
  "fences a worker from before a reset, and tells it to start again",
  async ({ first, connection }) => {
    await first.positions(new Map([[0, 0]]));
    await connection.query({ text: "update pipeline set epoch = epoch + 1" });
    await connection.query({ text: "update kafka_offsets set epoch = epoch + 1" });
    await assert.rejects(first.commit(commitOf([[0, 0, 1]])), FencedError);
    await assert.rejects(first.positions(new Map([[0, 0]])), OperatorError);
    await assert.rejects(first.positions(new Map([[7, 0]])), OperatorError);
  },
);

postgresTest("caps the event time of one clock that is wrong", async ({ first, connection }) => {
  const { partitions } = commitOf([[0, 0, 1]]);
  const inYear9999 = 253_402_300_000_000;
  await first.positions(new Map([[0, 0]]));
  await first.commit(commitOf([], {
    partitions: partitions.map((each) => ({ ...each, maxEventTimeMs: inYear9999 })),
  }));
  const [row] = await connection.query<{ seconds_ahead: number }>({
    text:
      "select extract(epoch from max_event_time - now())::float8 as seconds_ahead from kafka_offsets",
  });
  assert.ok(row!.seconds_ahead > 200 && row!.seconds_ahead < 301, `${row!.seconds_ahead}`);
});

postgresTest(
  "advances the watermark with the slowest partition, and never back",
  async ({ first, second, connection }) => {
    const commit = (partition: number, from: number, maxEventTimeMs: number) => {
      const { partitions } = commitOf([[partition, from, from + 1]]);
      return first.commit(
        commitOf([], { partitions: partitions.map((each) => ({ ...each, maxEventTimeMs })) }),
      );
    };
    await first.positions(new Map([[0, 0], [1, 0]]));
    assert.equal(await first.advanceWatermark(2), null);
    await commit(0, 0, MINUTE);
    assert.equal(await first.advanceWatermark(2), null, "nothing is known of partition 1");
    await commit(1, 0, MINUTE + 5_000);
    assert.equal(await first.advanceWatermark(2), MINUTE);
    await commit(0, 1, MINUTE + 60_000);
    assert.equal(await first.advanceWatermark(2), MINUTE + 5_000);
    assert.equal(
      await second.advanceWatermark(3),
      MINUTE + 5_000,
      "a new partition holds it, but not back",
    );

    // Partition 1 is read to its end and has had no news for a minute: the watermark goes on without it.
    await connection.query({
      text:
        "update kafka_offsets set caught_up_at = now(), updated_at = now() - interval '1 minute' where partition = 1",
    });
    assert.equal(await first.advanceWatermark(2), MINUTE + 60_000);
    // Its owner is gone: nobody says that it is still at its end.
    await connection.query({
      text: "update kafka_offsets set caught_up_at = now() - interval '1 minute'",
    });
    await commit(0, 2, MINUTE + 120_000);
    assert.equal(await first.advanceWatermark(2), MINUTE + 60_000);
  },
);

postgresTest(
  "notes every ten minutes where a partition stands before a commit",
  async ({ first, connection }) => {
    await first.positions(new Map([[0, 7], [1, 0]]));
    await first.commit(commitOf([[0, 7, 10]]));
    await first.commit(commitOf([[0, 10, 15]]));
    await connection.query({
      text: "update offset_history set at = at - interval '10 minutes 1 second'",
    });
    await first.commit(commitOf([[0, 15, 20], [1, 0, 4]]));
    const rows = await connection.query({
      text: `
        select partition, next_offset, counted, dead, max_event_time
        from offset_history
        order by partition, at`,
    });
    assert.deepEqual(rows.map((row) => Object.values(row)), [
      [0, 7, 0, 0, null],
      [0, 15, 8, 0, new Date(MINUTE)],
      [1, 0, 0, 0, null],
    ]);
  },
);

postgresTest(
  "keeps of notes that are a month old the first of each day",
  async ({ first, connection }) => {
    await first.positions(new Map([[0, 0], [1, 0]]));
    // Every ten minutes for five days, of which the last two are younger than a month.
    await connection.query({
      text: `
        insert into offset_history (topic, partition, next_offset, counted, dead, at)
        select topic, partition, n, n, 0,
          date_trunc('day', now(), 'UTC') - interval '32 days' + n * interval '10 minutes'
        from kafka_offsets, generate_series(0, 5 * 144 - 1) as n`,
    });
    await first.commit(commitOf([[0, 0, 5]]));
    const rows = await connection.query<{ partition: number; day: number; notes: number }>({
      text: `
        select
          partition,
          extract(day from date_trunc('day', now(), 'UTC') - date_trunc('day', at, 'UTC'))::integer as day,
          count(*) as notes,
          bool_and(at = date_trunc('day', at, 'UTC')) as is_first
        from offset_history
        where next_offset > 0 or at < now() - interval '1 day'
        group by 1, 2
        order by 1, 2 desc`,
    });
    const notesOf = (partition: number) =>
      new Map(rows.filter((row) => row.partition === partition).map((row) => [row.day, row]));
    for (const [day, { notes }] of notesOf(1)) assert.equal(notes, 144, `untouched on day ${day}`);
    const thinned = notesOf(0);
    for (const day of [32, 31]) {
      assert.deepEqual(thinned.get(day), { partition: 0, day, notes: 1, is_first: true });
    }
    assert.ok(thinned.get(30)!.notes >= 1, "a day that is partly a month old");
    for (const day of [29, 28]) assert.equal(thinned.get(day)!.notes, 144);
  },
);

postgresTest("notes windows that lie ahead of the clock", async ({ first, connection }) => {
  await first.positions(new Map([[0, 0]]));
  const inAnHour = Math.ceil(Date.now() / 60_000) * 60_000 + 3_600_000;
  const counts = [MINUTE, inAnHour].map((windowStartMs) => ({
    windowStartMs,
    lotteryName: "mega_draw",
    eventType: "pay",
    count: 1,
  }));
  await first.commit(commitOf([[0, 0, 2]], { counts }));
  await first.commit(commitOf([[0, 2, 4]], { counts }));
  const rows = await connection.query({ text: "select window_start from windows_ahead" });
  assert.deepEqual(rows.map(({ window_start }) => window_start), [new Date(inAnHour)]);
});

import assert from "node:assert/strict";
import type { Commit } from "../../../lib/core/windowing/pending.ts";
import { configureLogs } from "../../../lib/io/logs.ts";
import { Terminal } from "../../../lib/io/terminal.ts";
import { createDatabase, Postgres } from "../../support/postgres.ts";
import { serverTest } from "../../support/servers.ts";
import { commitOf } from "../../support/sink_contract.ts";
import { temporaryDirectory } from "../../support/temporary_directory.ts";
import { openPostgresHarness, type PostgresHarness } from "./harness.ts";

const DAY_MS = 86_400_000;
const MAX_FUTURE_MS = 300_000;
const NOW_MS = Math.floor(Date.now() / 60_000) * 60_000;

/** A commit of one event of partition 0 at this time. */
function eventAt(timestampMs: number, offset: number): Commit {
  const commit = commitOf([[0, offset, offset + 1]], {
    counts: [{ windowStartMs: timestampMs, lotteryName: "keno", eventType: "pay", count: 1 }],
  });
  const partitions = commit.partitions.map((each) => ({ ...each, maxEventTimeMs: timestampMs }));
  return { ...commit, partitions };
}

async function stored({ connection }: PostgresHarness) {
  const [row] = await connection.query<{ max_event_time: Date; ahead: number[] }>({
    text: `
      select
        max_event_time,
        array(
          select floor(extract(epoch from window_start))::integer from windows_ahead order by 1
        ) as ahead
      from kafka_offsets`,
  });
  return { maxEventTimeMs: row!.max_event_time.getTime(), ahead: row!.ahead };
}

for (
  const { clock, days, events, isCapped } of [
    { clock: "+45d", days: 45, events: "of now", isCapped: false },
    { clock: "+45d", days: 45, events: "of 45 days from now", isCapped: true },
    { clock: "-45d", days: 0, events: "of now", isCapped: true },
  ]
) {
  serverTest(
    `events ${events} with PostgreSQL's clock at ${clock} are stored up to the clock that is behind, and what lies beyond is noted for audit`,
    ["initdb", "faketime"],
    async () => {
      await using directory = await temporaryDirectory();
      const server = await Postgres.start(directory.path, { clock });
      using _server = { [Symbol.dispose]: () => server.stop() };
      const database = await createDatabase(server.url);
      await using harness = await openPostgresHarness(
        database.url,
        () => database.connection[Symbol.asyncDispose](),
      );
      const { first } = harness;
      await first.positions(new Map([[0, 0]]));
      await first.commit(eventAt(NOW_MS - 100 * DAY_MS, 0));
      await first.advanceWatermark(1);
      const timestampMs = NOW_MS + (isCapped ? days : 0) * DAY_MS;
      await first.commit(eventAt(timestampMs, 1));
      const { maxEventTimeMs, ahead } = await stored(harness);
      if (isCapped) {
        const latestMs = Date.now() + Math.min(0, parseInt(clock)) * DAY_MS + MAX_FUTURE_MS;
        assert.ok(Math.abs(maxEventTimeMs - latestMs) < 60_000, new Date(maxEventTimeMs).toJSON());
        assert.deepEqual(ahead, [timestampMs / 1000]);
      } else {
        assert.equal(maxEventTimeMs, timestampMs);
        assert.deepEqual(ahead, []);
      }
    },
  );
}

serverTest("clocks that are apart are told once", ["initdb", "faketime"], async () => {
  await using directory = await temporaryDirectory();
  const server = await Postgres.start(directory.path, { clock: "+45d" });
  using _server = { [Symbol.dispose]: () => server.stop() };
  const database = await createDatabase(server.url);
  await using harness = await openPostgresHarness(
    database.url,
    () => database.connection[Symbol.asyncDispose](),
  );
  const lines: string[] = [];
  const terminal = Object.assign(new Terminal({ isDumb: true }), {
    writeLine: (line: string) => void lines.push(line),
  });
  await configureLogs({ level: "warn", format: "json", terminal });
  await harness.first.positions(new Map([[0, 0]]));
  for (let round = 0; round < 3; round++) await harness.first.advanceWatermark(1);
  assert.equal(lines.length, 1, lines.join("\n"));
  assert.match(
    lines[0]!,
    /PostgreSQL's clock is 3[,\d]* s \W?ahead of\W? the clock of this machine/,
  );
});

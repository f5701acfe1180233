import fc from "fast-check";
import assert from "node:assert/strict";
import { encodeRecordBatch, type NewRecord } from "../../../lib/core/records/record_encoder.ts";
import { EventParser } from "../../../lib/core/windowing/event.ts";
import { type Commit, Pending } from "../../../lib/core/windowing/pending.ts";
import { WindowCounts } from "../../../lib/core/windowing/window.ts";
import { newSha256 } from "../../../lib/io/sha256.ts";
import { toLetters } from "../../support/dead_letters.ts";
import { utf8 } from "../records/batches.ts";

const MINUTE_MS = 60_000;
const NOON_MS = Date.UTC(2026, 0, 1, 12);
const PARTITIONS = [0, 1, 2];

const name = fc.constantFrom("a", "lötto_€");
const value = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      lottery_name: name,
      event_type: name,
      timestamp: fc.integer({ min: NOON_MS, max: NOON_MS + 3 * MINUTE_MS }),
    }).map((event) => utf8(JSON.stringify(event))),
  },
  { weight: 1, arbitrary: fc.constantFrom(null, utf8(""), new Uint8Array([0xff]), utf8("{}")) },
);
const record: fc.Arbitrary<NewRecord> = fc.record({
  timestampMs: fc.constantFrom(-1, NOON_MS, NOON_MS + 4 * MINUTE_MS),
  key: fc.option(fc.uint8Array({ maxLength: 3 })),
  value,
});
const logs = fc.tuple(...PARTITIONS.map(() => fc.array(record, { maxLength: 12 })));

/** A batch to read, which may begin before the position as Kafka's do, and what happens then. */
interface Step {
  readonly partition: number;
  readonly records: number;
  readonly overlap: number;
  readonly then: "go on" | "commit" | "crash";
}

const step: fc.Arbitrary<Step> = fc.record({
  partition: fc.constantFrom(...PARTITIONS),
  records: fc.integer({ min: 0, max: 5 }),
  overlap: fc.nat(3),
  then: fc.constantFrom("go on", "commit", "crash"),
});
const steps = fc.array(step, { maxLength: 30 });

/** Reads the logs in these steps, then what is left of them; a crash loses what is not committed. */
function run(logs: readonly (readonly NewRecord[])[], steps: readonly Step[]): Commit[] {
  const parser = new EventParser({ maxFutureMs: 2 * MINUTE_MS });
  const pending = new Pending({ parser, windowMs: MINUTE_MS, newSha256 });
  const commits: Commit[] = [];
  const stored = logs.map(() => 0);
  let positions = [...stored];

  const read = (partition: number, { records, overlap }: Omit<Step, "partition" | "then">) => {
    const log = logs[partition]!;
    const from = positions[partition]!;
    const start = Math.max(0, from - overlap);
    const end = Math.min(log.length, from + records);
    pending.count(encodeRecordBatch(start, log.slice(start, end)), {
      partition,
      from,
      closedUpToMs: NOON_MS + MINUTE_MS,
      horizonMs: -Infinity,
    });
    positions[partition] = end;
  };
  const commit = () => {
    const drained = pending.drain();
    commits.push(drained);
    for (const { partition, expectedOffset, nextOffset } of drained.partitions) {
      assert.equal(expectedOffset, stored[partition], "a commit must begin where the last ended");
      stored[partition] = nextOffset;
    }
  };
  const crash = () => {
    pending.clear();
    positions = [...stored];
  };

  for (const { partition, then, ...batch } of steps) {
    read(partition, batch);
    if (then === "commit") commit();
    if (then === "crash") crash();
  }
  for (const partition of PARTITIONS) read(partition, { records: Infinity, overlap: 0 });
  commit();
  return commits;
}

/** What a database holds after the commits. */
function stored(commits: readonly Commit[]) {
  const counts = new WindowCounts(MINUTE_MS);
  for (const commit of commits) counts.merge(commit.counts);
  const partitions = commits.flatMap((commit) => commit.partitions);
  return {
    counts: Array.from(counts, (row) => JSON.stringify(row)).sort(),
    events: commits.reduce((sum, { events }) => sum + events, 0),
    lateEvents: commits.reduce((sum, { lateEvents }) => sum + lateEvents, 0),
    deadLetters: commits.flatMap(({ deadLetters }) => toLetters(deadLetters))
      .sort((a, b) => a.partition - b.partition || a.offset - b.offset),
    partitions: PARTITIONS.map((partition) => {
      const its = partitions.filter((other) => other.partition === partition);
      return {
        nextOffset: Math.max(...its.map(({ nextOffset }) => nextOffset)),
        counted: its.reduce((sum, { counted }) => sum + counted, 0),
        dead: its.reduce((sum, { dead }) => sum + dead, 0),
        maxEventTimeMs: Math.max(...its.map(({ maxEventTimeMs }) => maxEventTimeMs ?? -1)),
      };
    }),
  };
}

Deno.test("Pending commits the same however logs are cut into batches and commits, crashes included", () => {
  fc.assert(
    fc.property(logs, steps, (logs, steps) => {
      assert.deepEqual(stored(run(logs, steps)), stored(run(logs, [])));
    }),
    { numRuns: 500 },
  );
});

Deno.test("Pending accounts for every record once: counted or dead", () => {
  fc.assert(fc.property(logs, steps, (logs, steps) => {
    const { partitions, events, deadLetters, counts } = stored(run(logs, steps));
    for (const partition of PARTITIONS) {
      const { nextOffset, counted, dead } = partitions[partition]!;
      assert.equal(nextOffset, logs[partition]!.length);
      assert.equal(counted + dead, logs[partition]!.length);
      assert.equal(deadLetters.filter((letter) => letter.partition === partition).length, dead);
    }
    assert.equal(events + deadLetters.length, logs.flat().length);
    assert.equal(counts.reduce((sum, row) => sum + JSON.parse(row).count, 0), events);
  }));
});

Deno.test("Pending keeps each dead letter as its record came", () => {
  fc.assert(fc.property(logs, steps, (logs, steps) => {
    for (const { partition, offset, ...letter } of stored(run(logs, steps)).deadLetters) {
      const { timestampMs, key, value } = logs[partition]![offset]!;
      assert.deepEqual(
        { recordTimestampMs: letter.recordTimestampMs, key: letter.key, value: letter.value },
        { recordTimestampMs: timestampMs, key, value },
      );
    }
  }));
});

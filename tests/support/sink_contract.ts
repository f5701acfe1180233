/**
 * What every sink must do, whatever it stores to.
 * @module
 */

import assert from "node:assert/strict";
import type { DeadLetter } from "../../lib/core/dead_letters/dead_letter.ts";
import type { Commit, PartitionCommit } from "../../lib/core/windowing/pending.ts";
import { FencedError, type Sink } from "../../lib/pipeline/sink.ts";
import { toColumns } from "./dead_letters.ts";

/** A place to store to, and two workers' sinks that share it. */
export interface SinkHarness extends AsyncDisposable {
  readonly first: Sink;
  readonly second: Sink;
  /** Says that windows before it are deleted. */
  setHorizon(horizonMs: number): Promise<void>;
  /** Counts as `[start, lottery, type]` in JSON, and dead letters as `partition/offset`. */
  stored(): Promise<{
    readonly counts: ReadonlyMap<string, number>;
    readonly deadLetters: ReadonlyMap<string, string>;
  }>;
}

/** How a test is registered: `Deno.test`, or for sinks that need servers `serverTest`. */
export type Register = (name: string, test: () => Promise<void>) => void;

const MINUTE = 1_763_800_020_000;

/** What is otherwise than usual in a commit. */
export interface CommitChanges extends Partial<Omit<Commit, "deadLetters">> {
  readonly deadLetters?: Iterable<DeadLetter>;
}

/** A commit that moves one partition and counts as many events as it moves. */
export function commitOf(
  moves: readonly (readonly [partition: number, expectedOffset: number, nextOffset: number])[],
  { deadLetters = [], ...changes }: CommitChanges = {},
): Commit {
  const partitions = moves.map(([partition, expectedOffset, nextOffset]): PartitionCommit => ({
    partition,
    expectedOffset,
    nextOffset,
    counted: nextOffset - expectedOffset,
    dead: 0,
    maxEventTimeMs: MINUTE,
    lastBatch: { lastOffset: nextOffset - 1, crc: 0xffff_ffff },
    caughtUp: false,
  }));
  const events = partitions.reduce((sum, { counted }) => sum + counted, 0);
  return {
    partitions,
    counts: events === 0 ? [] : [
      { windowStartMs: MINUTE, lotteryName: "mega_draw", eventType: "pay", count: events },
    ],
    deadLetters: toColumns(deadLetters),
    lostRanges: [],
    events,
    lateEvents: 0,
    batchTimestampsMs: [],
    ...changes,
  };
}

/** Next offsets of some partitions, which this sink may not know yet. */
async function offsets(
  sink: Sink,
  logStarts: readonly (readonly [partition: number, start: number])[],
): Promise<Map<number, number>> {
  const positions = await sink.positions(new Map(logStarts));
  return new Map(Array.from(positions, ([id, { nextOffset }]) => [id, nextOffset]));
}

const PAID = JSON.stringify([MINUTE, "mega_draw", "pay"]);

/** Registers the tests of the contract for one kind of sink. */
export function testSinkContract(
  kind: string,
  register: Register,
  open: () => Promise<SinkHarness>,
): void {
  const test = (rule: string, body: (harness: SinkHarness) => Promise<void>) =>
    register(`${kind} ${rule}`, async () => {
      await using harness = await open();
      await body(harness);
    });

  test("starts a new partition at its log's start and keeps a known one", async ({ first, second }) => {
    assert.deepEqual(await offsets(first, [[0, 5]]), new Map([[0, 5]]));
    const positions = await offsets(second, [[0, 9], [1, 7]]);
    assert.deepEqual(new Map(positions), new Map([[0, 5], [1, 7]]));
  });

  test("adds counts to those that are there", async ({ first, stored }) => {
    await first.positions(new Map([[0, 0]]));
    await first.commit(commitOf([[0, 0, 3]]));
    await first.commit(commitOf([[0, 3, 10]]));
    assert.equal((await stored()).counts.get(PAID), 10);
    assert.equal((await offsets(first, [[0, 0]])).get(0), 10);
  });

  test("remembers the last batch that was counted", async ({ first, second }) => {
    await first.positions(new Map([[0, 0]]));
    await first.commit(commitOf([[0, 0, 3]]));
    const { partitions } = commitOf([[0, 3, 5]]);
    const withoutBatch = partitions.map((each) => ({ ...each, counted: 0, lastBatch: null }));
    await first.commit(commitOf([], { partitions: withoutBatch }));
    assert.deepEqual((await second.positions(new Map([[0, 0]]))).get(0), {
      nextOffset: 5,
      lastBatch: { lastOffset: 2, crc: 0xffff_ffff },
    });
  });

  test("writes nothing of a commit with one partition of two fenced", async ({ first, second, stored }) => {
    await first.positions(new Map([[0, 0], [1, 0]]));
    await second.commit(commitOf([[1, 0, 4]]));
    const deadLetters = [{
      partition: 0,
      offset: 1,
      reason: "not_json" as const,
      recordTimestampMs: -1,
      key: null,
      value: null,
      headers: [],
      cut: null,
    }];
    await assert.rejects(
      first.commit(commitOf([[0, 0, 2], [1, 0, 4]], { deadLetters })),
      FencedError,
    );
    const { counts, deadLetters: letters } = await stored();
    assert.equal(counts.get(PAID), 4);
    assert.equal(letters.size, 0);
    const positions = await offsets(first, [[0, 0], [1, 0]]);
    assert.deepEqual(new Map(positions), new Map([[0, 0], [1, 4]]));
  });

  test("keeps the first of the records that claim one offset", async ({ first, stored }) => {
    await first.positions(new Map([[0, 0]]));
    const letter = {
      partition: 0,
      recordTimestampMs: -1,
      key: null,
      value: null,
      headers: [],
      cut: null,
    };
    const deadLetters = [
      { ...letter, offset: 1, reason: "not_json" as const },
      { ...letter, offset: 0, reason: "tombstone" as const },
      { ...letter, offset: 1, reason: "not_utf8" as const },
    ];
    await first.commit(commitOf([[0, 0, 2]], { deadLetters }));
    assert.deepEqual(
      (await stored()).deadLetters,
      new Map([["0/1", "not_json"], ["0/0", "tombstone"]]),
    );
    assert.equal((await offsets(first, [[0, 0]])).get(0), 2);
  });

  test("fences the same commit the second time", async ({ first, stored }) => {
    await first.positions(new Map([[0, 0]]));
    await first.commit(commitOf([[0, 0, 3]]));
    await assert.rejects(first.commit(commitOf([[0, 0, 3]])), FencedError);
    assert.equal((await stored()).counts.get(PAID), 3);
  });

  test("fences a partition that it never gave out", async ({ first }) => {
    await first.positions(new Map([[0, 0]]));
    await assert.rejects(first.commit(commitOf([[0, 0, 1], [9, 0, 1]])), FencedError);
  });

  test("moves a partition over offsets without records", async ({ first, stored }) => {
    await first.positions(new Map([[0, 0]]));
    const { partitions } = commitOf([[0, 0, 8]]);
    const moved = partitions.map((each) => ({ ...each, counted: 0, lastBatch: null }));
    await first.commit(commitOf([], { partitions: moved }));
    assert.equal((await offsets(first, [[0, 0]])).get(0), 8);
    assert.equal((await stored()).counts.size, 0);
  });

  test("fences a window before the horizon, and takes one at it", async ({ first, setHorizon, stored }) => {
    assert.equal(await first.horizon(), -Infinity);
    await first.positions(new Map([[0, 0]]));
    await setHorizon(MINUTE + 60_000);
    assert.equal(await first.horizon(), MINUTE + 60_000);
    await assert.rejects(first.commit(commitOf([[0, 0, 3]])), FencedError);
    assert.equal((await offsets(first, [[0, 0]])).get(0), 0);
    assert.equal((await stored()).counts.size, 0);
    const counts = [
      { windowStartMs: MINUTE + 60_000, lotteryName: "keno", eventType: "pay", count: 3 },
    ];
    await first.commit(commitOf([[0, 0, 3]], { counts }));
    assert.equal((await offsets(first, [[0, 0]])).get(0), 3);
  });

  test("lets two workers commit in turns, and only one of them to an offset", async ({ first, second, stored }) => {
    await first.positions(new Map([[0, 0]]));
    const outcomes = await Promise.allSettled([
      first.commit(commitOf([[0, 0, 5]])),
      second.commit(commitOf([[0, 0, 5]])),
    ]);
    assert.deepEqual(outcomes.map(({ status }) => status).sort(), ["fulfilled", "rejected"]);
    const refused = outcomes.find(({ status }) => status === "rejected") as PromiseRejectedResult;
    assert.ok(refused.reason instanceof FencedError);
    assert.equal((await stored()).counts.get(PAID), 5);
  });

  test("keeps apart names that a careless sink would confuse", async ({ first, stored }) => {
    await first.positions(new Map([[0, 0]]));
    const names = [
      "a|b",
      "a",
      "b|c",
      "__proto__",
      "lötto_€",
      "lotto",
      "🍀",
      '"',
      "\\",
      "{}",
      "null",
      "%s",
      " a",
    ];
    const counts = names.flatMap((lotteryName, at) =>
      names.map((eventType) => ({ windowStartMs: MINUTE, lotteryName, eventType, count: at + 1 }))
    );
    await first.commit(commitOf([[0, 0, 1]], { counts }));
    const expected = counts.map(({ lotteryName, eventType, count }): [string, number] => [
      JSON.stringify([MINUTE, lotteryName, eventType]),
      count,
    ]);
    assert.deepEqual(new Map((await stored()).counts), new Map(expected));
  });
}

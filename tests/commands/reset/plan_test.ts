import assert from "node:assert/strict";
import {
  assertCounted,
  type CountedFacts,
  offsetsOf,
  planLog,
  planRecount,
  planSettings,
} from "../../../lib/commands/reset/plan.ts";
import type { PartitionHistory } from "../../../lib/core/audit/history.ts";
import { parseOffsetSpec } from "../../../lib/core/offsets/offset_spec.ts";
import type { Identity } from "../../../lib/io/postgres/identity.ts";

const IDENTITY: Identity = {
  clusterId: "here",
  topic: "user-events",
  groupId: "group",
  windowSeconds: 60,
  maxFutureSeconds: 300,
  eventRules: 1,
};

const RANGES = new Map([
  [0, { startOffset: 0, endOffset: 1_200 }],
  [1, { startOffset: 20, endOffset: 90 }],
]);

/** Settings that differ from those of the counts in these parts. */
function factsOf(changes: Partial<Identity> = {}): CountedFacts {
  const identity = { ...IDENTITY, ...changes };
  const origin = { id: identity.clusterId, setting: "The cluster (KAFKA_BROKERS)", remedy: "" };
  return { claim: { identity, origin }, stored: { identity: IDENTITY, epoch: 3 }, ranges: RANGES };
}

/** A partition of which `counted` records were counted, in halves. */
function historyOf(partition: number, counted: number): PartitionHistory {
  const entry = (records: number) => (
    { nextOffset: records, counted: records, dead: 0, maxEventTimeMs: records }
  );
  return {
    partition,
    firstOffset: 0,
    deadLetterHorizon: 0,
    entries: [entry(counted / 2)],
    now: entry(counted),
  };
}

const HOLDINGS = { events: 1_234, deadLetters: 1, replayedLetters: 0, recordsLeft: 0 };
const WHOLE = {
  force: undefined,
  holdings: HOLDINGS,
  histories: [historyOf(0, 100)],
  isCompacted: false,
};

Deno.test("planRecount() says what it deletes and where the log starts, and changes the next epoch", () => {
  const { lines, change } = planRecount(factsOf({ windowSeconds: 10 }), WHOLE);
  assert.deepEqual(lines, [
    "Deletes all counts (1,234 events), 1 dead letter and all offsets.",
    "The next worker counts user-events again, from its start:",
    "  partition  log start  log end",
    "          0          0     1200",
    "          1         20       90",
    "  WINDOW_SECONDS: 60 becomes 10",
  ]);
  const identity = { ...IDENTITY, windowSeconds: 10 };
  assert.deepEqual(change, { kind: "recount", epoch: 3, identity });
});

Deno.test("planRecount() counts what the log no longer holds, and needs the number of events", () => {
  const cases: readonly (readonly [name: string, gone: number, ReturnType<typeof planRecount>])[] =
    [
      ["a partition's start", 40, recount({ histories: [historyOf(1, 80)] })],
      ["an abandoned log", 7, recount({ holdings: { ...HOLDINGS, recordsLeft: 7 } })],
      ["a compacted topic", 100, recount({ isCompacted: true })],
      ["a partition that is gone", 100, recount({ histories: [historyOf(2, 100)] })],
      ["a shorter log", 2_000, recount({ histories: [historyOf(0, 2_000)] })],
      ["another topic", 100, recount({}, { topic: "another" })],
      ["another cluster", 100, recount({}, { clusterId: "there" })],
    ];
  for (const [name, gone, { lines }] of cases) {
    const records = gone.toLocaleString("en-US");
    assert.ok(lines.includes(`Up to ${records} records will be lost for good.`), name);
  }
  for (const force of [undefined, 0, 1_233]) {
    assert.throws(
      () => planRecount(factsOf(), { ...WHOLE, force, isCompacted: true }),
      /up to 100 records that were counted .* with --force 1234\.$/,
    );
  }

  function recount(changes: Partial<typeof WHOLE>, identity: Partial<Identity> = {}) {
    return planRecount(factsOf(identity), { ...WHOLE, ...changes, force: 1_234 });
  }
});

Deno.test("planRecount() says how many replays have to be repeated", () => {
  const holdings = { ...HOLDINGS, replayedLetters: 1 };
  const { lines } = planRecount(factsOf(), { ...WHOLE, holdings });
  assert.equal(lines[1], "Of these, 1 replayed letter must be replayed again.");
});

Deno.test("planLog() shows each partition's offset beside the stored one", () => {
  const offsets = new Map([[0, 120], [1, 20]]);
  const storedOffsets = new Map([[0, 7]]);
  const { lines, change } = planLog(factsOf({ topic: "new" }), { offsets, storedOffsets });
  assert.deepEqual(lines.slice(0, 4), [
    "Keeps all counts and dead letters, and continues counting new here:",
    "  partition  stored  continues at  log start  log end",
    "          0       7           120          0     1200",
    "          1       –            20         20       90",
  ]);
  assert.equal(lines.at(-1), "  KAFKA_TOPIC: user-events becomes new");
  const identity = { ...IDENTITY, topic: "new" };
  assert.deepEqual(change, { kind: "log", epoch: 3, identity, offsets });
});

Deno.test("planLog() starts an empty database, and refuses another size of windows", () => {
  const options = { offsets: new Map([[0, 0], [1, 20]]), storedOffsets: new Map() };
  assert.equal(planLog({ ...factsOf(), stored: null }, options).change.epoch, null);
  assert.throws(
    () => planLog(factsOf({ windowSeconds: 10 }), options),
    /Cannot keep the counts: WINDOW_SECONDS is 10, but was 60\. .* reset --recount/,
  );
});

Deno.test("offsetsOf() gives each partition an offset that its log holds", () => {
  const of = (text: string) => {
    const target = parseOffsetSpec(text);
    assert.ok(target.kind !== "time");
    return [...offsetsOf(target, factsOf())];
  };
  assert.deepEqual(of("start"), [[0, 0], [1, 20]]);
  assert.deepEqual(of("end"), [[0, 1_200], [1, 90]]);
  assert.deepEqual(of('{"user-events":{"0":5,"1":21}}'), [[0, 5], [1, 21]]);
  assert.throws(() => of("0:5"), /Cannot continue at these offsets: they leave out partition 1/);
  assert.throws(() => of("0:5,1:19"), /offset 19 is not in partition 1, which holds 20 to 90/);
  assert.throws(() => of('{"another":{"0":5,"1":21}}'), /topic another, but KAFKA_TOPIC is user-/);
});

Deno.test("planSettings() says whether records are judged differently from now on", () => {
  const renamed = planSettings(factsOf({ groupId: "new" }), 0);
  assert.deepEqual(renamed.lines.slice(1), [
    "  KAFKA_GROUP_ID: group becomes new",
    "Nothing is counted differently.",
  ]);
  assert.ok(renamed.change.kind === "settings" && !renamed.change.changesRules);

  for (const changes of [{ maxFutureSeconds: 1 }, { eventRules: 2 }]) {
    const { lines, change } = planSettings(factsOf(changes), 60_000);
    assert.match(lines.join(" "), /only windows that start after it \(1970-01-01 00:01:00Z\)\.$/);
    assert.ok(change.kind === "settings" && change.changesRules);
  }
  assert.match(planSettings(factsOf({ eventRules: 2 }), null).lines.at(-1)!, /after it\.$/);
});

Deno.test("planSettings() refuses what needs another kind of reset, and what changes nothing", () => {
  const cases: readonly (readonly [Partial<Identity>, RegExp])[] = [
    [{}, /Nothing to change/],
    [{ windowSeconds: 10 }, /use reset --recount/],
    [{ topic: "new" }, /KAFKA_TOPIC is new, but was user-events\. .* reset --log/],
    [{ clusterId: "there" }, /The cluster \(KAFKA_BROKERS\) is there.* reset --log/],
  ];
  for (const [changes, message] of cases) {
    assert.throws(() => planSettings(factsOf(changes), null), message);
  }
});

Deno.test("assertCounted() refuses a database that nothing was counted into", () => {
  assert.throws(() => assertCounted({ ...factsOf(), stored: null }), /Nothing to reset/);
  assert.equal(assertCounted(factsOf()).stored.epoch, 3);
});

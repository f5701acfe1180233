import fc from "fast-check";
import assert from "node:assert/strict";
import { Audit, type AuditReport } from "../../../lib/core/audit/audit.ts";
import type { HistoryEntry } from "../../../lib/core/audit/history.ts";
import type { StoredLetter } from "../../../lib/core/audit/partition_audit.ts";
import type { StoredCount } from "../../../lib/core/audit/row_audit.ts";
import { contentHash } from "../../support/dead_letters.ts";

const MINUTE_MS = 60_000;
const START_MS = Date.UTC(2026, 0, 1);
/** Nothing was replayed, and nothing deleted. */
const NOTHING_SINCE = {
  replayedLetters: 0,
  deletedEvents: 0,
  deletedHourEvents: 0,
  deletedLetters: 0,
};
/** All hours are whole, and none is wrong. */
const HOURS_AGREE = {
  hours: { hours: { agreeing: 1, wrong: 0, notProvable: 0 }, differences: [] },
  hoursFromMs: -Infinity,
};

/** One record of a log: a minute, a lottery, and whether it is an event. */
interface Item {
  readonly minute: number;
  readonly lottery: "a" | "b";
  readonly isBad: boolean;
}

const item: fc.Arbitrary<Item> = fc.record({
  minute: fc.nat(5),
  lottery: fc.constantFrom("a", "b"),
  isBad: fc.boolean(),
});

/** Logs of some partitions, and after how many records of each a commit noted where it stood. */
const world = fc.array(
  fc.record({
    log: fc.array(item, { maxLength: 20 }),
    notedAt: fc.array(fc.nat(20), { maxLength: 3 }),
    logStart: fc.nat(20),
  }),
  { minLength: 1, maxLength: 3 },
);

type World = readonly {
  readonly log: readonly Item[];
  readonly notedAt: readonly number[];
  readonly logStart: number;
}[];

interface Stored {
  readonly counts: StoredCount[];
  readonly deadLetters: ({ partition: number } & StoredLetter)[];
}

/** What is stored after everything was counted as it should be. */
function countedWell(world: World): Stored {
  const counts = new Map<string, StoredCount>();
  const deadLetters: Stored["deadLetters"] = [];
  world.forEach(({ log }, partition) =>
    log.forEach(({ minute, lottery, isBad }, offset) => {
      if (isBad) {
        const sha256 = contentHash(offset);
        deadLetters.push({ partition, offset, reason: "not_json", sha256, isIntact: true });
        return;
      }
      const windowStartMs = START_MS + minute * MINUTE_MS;
      const key = `${minute} ${lottery}`;
      counts.set(key, {
        windowStartMs,
        windowEndMs: windowStartMs + MINUTE_MS,
        lotteryName: lottery,
        eventType: "pay",
        count: (counts.get(key)?.count ?? 0) + 1,
      });
    })
  );
  return { counts: [...counts.values()], deadLetters };
}

function entry(log: readonly Item[], nextOffset: number): HistoryEntry {
  const events = log.slice(0, nextOffset).filter(({ isBad }) => !isBad);
  return {
    nextOffset,
    counted: events.length,
    dead: nextOffset - events.length,
    maxEventTimeMs: events.length === 0 ? null : Math.max(...events.map(timeOf)),
  };
}

const timeOf = ({ minute }: Item) => START_MS + minute * MINUTE_MS + 1;

/** Audits what is stored; of the log only what begins at its start is left. */
function auditOf(world: World, { counts, deadLetters }: Stored): AuditReport {
  const audit = new Audit({
    windowMs: MINUTE_MS,
    atMs: START_MS,
    closedUpToMs: null,
    horizonMs: -Infinity,
    ledger: {
      ...NOTHING_SINCE,
      counted: world.flatMap(({ log }) => log).filter(({ isBad }) => !isBad).length,
      dead: world.flatMap(({ log }) => log).filter(({ isBad }) => isBad).length,
      hourEvents: world.flatMap(({ log }) => log).filter(({ isBad }) => !isBad).length,
      deadLetters: deadLetters.length,
    },
    ...HOURS_AGREE,
    windowsAhead: new Set(),
    abandoned: { maxEventTimeMs: null, deadLetters: 0 },
  });
  world.forEach(({ log, notedAt }, partition) =>
    audit.addPartition({
      partition,
      firstOffset: 0,
      deadLetterHorizon: 0,
      entries: notedAt.filter((at) => at <= log.length).sort((a, b) => a - b)
        .map((at) => entry(log, at)),
      now: entry(log, log.length),
    })
  );
  for (const row of counts) audit.addStoredCount(row);
  // Staged ones come after those that are rows, whatever their offsets.
  for (const { partition, ...letter } of deadLetters.toReversed()) {
    audit.partition(partition)!.addStored(letter);
  }
  world.forEach(({ log, logStart }, id) => {
    const partition = audit.partition(id)!;
    for (let offset = partition.begin(logStart); offset < log.length; offset++) {
      const { isBad, lottery } = log[offset]!;
      const sha256 = () => contentHash(offset);
      if (isBad) partition.addDeadLetter(offset, "not_json", sha256);
      else {
        const timestampMs = timeOf(log[offset]!);
        const event = { lotteryName: lottery, eventType: "pay", timestampMs };
        audit.addEvent(partition, { offset, event, sha256 });
      }
    }
  });
  return audit.report();
}

Deno.test("Audit never blames what was counted well, whatever of the log is gone", () => {
  fc.assert(fc.property(world, (world) => {
    const report = auditOf(world, countedWell(world));
    assert.notEqual(report.verdict, "wrong", JSON.stringify(report));
    if (world.every(({ logStart }) => logStart === 0)) assert.equal(report.verdict, "agrees");
  }));
});

Deno.test("Audit proves exactly the windows that no deleted record belongs to, if it was noted where the log begins", () => {
  fc.assert(fc.property(world, (world) => {
    const noted = world.map((each) => {
      const logStart = Math.min(each.logStart, each.log.length);
      return { ...each, logStart, notedAt: [logStart] };
    });
    const report = auditOf(noted, countedWell(noted));
    const gone = noted.flatMap(({ log, logStart }) => log.slice(0, logStart))
      .filter(({ isBad }) => !isBad);
    const latestGone = Math.max(-1, ...gone.map(({ minute }) => minute));
    const { counts } = countedWell(noted);
    const provable = counts.filter(({ windowStartMs }) =>
      windowStartMs > START_MS + latestGone * MINUTE_MS
    );
    assert.equal(report.rows.agreeing, provable.length);
    assert.equal(report.rows.notProvable, counts.length - provable.length);
  }));
});

Deno.test("Audit finds any one change of what is stored: by its name where it is provable, else by the ledger", () => {
  const change = fc.record({
    at: fc.nat(),
    kind: fc.constantFrom("more", "fewer", "none", "other"),
  });
  fc.assert(fc.property(world, change, (world, { at, kind }) => {
    const stored = countedWell(world);
    const { length } = stored.counts;
    fc.pre(length > 0);
    const changed = stored.counts[at % length]!;
    const counts = stored.counts.flatMap((row) => {
      if (row !== changed) return [row];
      if (kind === "none") return [];
      if (kind === "other") return [{ ...row, lotteryName: "c" }];
      return [{ ...row, count: row.count + (kind === "more" ? 1 : -1) }];
    });
    const report = auditOf(world, { ...stored, counts });
    const isProvable = changed.windowStartMs > report.provableAfterMs;
    if (kind === "other" && !isProvable) return; // the sum is right, and nobody knows the parts
    assert.equal(report.verdict, "wrong");
    if (!isProvable) return;
    assert.ok(
      report.rowDifferences.some((row) =>
        row.windowStartMs === changed.windowStartMs && row.lotteryName === changed.lotteryName &&
        row.stored !== row.recounted
      ),
    );
  }));
});

Deno.test("Audit finds a dead letter with other content, also if its record is gone but its own hash is there", () => {
  const change = fc.record({ at: fc.nat(), isKnown: fc.boolean() });
  fc.assert(fc.property(world, change, (world, { at, isKnown }) => {
    const stored = countedWell(world);
    const { length } = stored.deadLetters;
    fc.pre(length > 0);
    const changed = stored.deadLetters[at % length]!;
    const { partition, offset } = changed;
    const isGone = offset < world[partition]!.logStart;
    fc.pre(!isGone || isKnown); // else nobody can know
    const deadLetters = stored.deadLetters.map((letter) =>
      letter === changed
        ? { ...letter, sha256: contentHash(offset + 1), isIntact: !isKnown }
        : letter
    );
    const report = auditOf(world, { ...stored, deadLetters });
    assert.equal(report.verdict, "wrong");
    assert.deepEqual(report.deadLetterDifferences, [{
      partition,
      offset,
      stored: "not_json, content changed",
      recounted: "not_json, as received",
    }]);
  }));
});

Deno.test("Audit finds any dead letter that is missing, too many or has another reason", () => {
  const change = fc.record({ at: fc.nat(), kind: fc.constantFrom("missing", "reason", "extra") });
  fc.assert(fc.property(world, change, (world, { at, kind }) => {
    const stored = countedWell(world);
    const { length } = stored.deadLetters;
    fc.pre(length > 0);
    const changed = stored.deadLetters[at % length]!;
    fc.pre(changed.offset >= world[changed.partition]!.logStart);
    const { log, logStart } = world[changed.partition]!;
    const event = log.findIndex((record, offset) => offset >= logStart && !record.isBad);
    const extra = { ...changed, offset: event < 0 ? log.length : event };
    const deadLetters = kind === "missing"
      ? stored.deadLetters.filter((letter) => letter !== changed)
      : kind === "reason"
      ? stored.deadLetters.map((letter) =>
        letter === changed ? { ...letter, reason: "not_utf8" } : letter
      )
      : [...stored.deadLetters, extra].sort((a, b) =>
        a.partition - b.partition || a.offset - b.offset
      );
    const report = auditOf(world, { ...stored, deadLetters });
    assert.equal(report.verdict, "wrong");
    const { offset } = kind === "extra" ? extra : changed;
    assert.deepEqual(
      report.deadLetterDifferences.map((found) => [found.partition, found.offset]),
      [[changed.partition, offset]],
    );
  }));
});

Deno.test("Audit names a row that has fewer events than those that are left of its window", () => {
  const log: Item[] = Array.from({ length: 5 }, () => ({ minute: 0, lottery: "a", isBad: false }));
  const world = [{ log, notedAt: [2], logStart: 2 }];
  const [row] = countedWell(world).counts;
  for (const [count, named] of [[2, true], [3, false], [5, false], [6, false]] as const) {
    const report = auditOf(world, { counts: [{ ...row!, count }], deadLetters: [] });
    assert.equal(report.rowDifferences.length, named ? 1 : 0, `${count}`);
    assert.equal(report.verdict, count === 5 ? "not provable" : "wrong", "by the ledger");
  }
});

Deno.test("Audit begins again behind what Kafka deletes while it reads, and blames nothing", () => {
  const log: Item[] = [0, 1, 2, 3].map((minute) => ({ minute, lottery: "a", isBad: minute === 1 }));
  const world = [{ log, notedAt: [0, 2, 3], logStart: 0 }];
  const { counts, deadLetters } = countedWell(world);
  const audit = new Audit({
    windowMs: MINUTE_MS,
    atMs: START_MS,
    closedUpToMs: null,
    horizonMs: -Infinity,
    ledger: {
      ...NOTHING_SINCE,
      counted: 3,
      dead: 1,
      hourEvents: 3,
      deadLetters: 1,
    },
    ...HOURS_AGREE,
    windowsAhead: new Set(),
    abandoned: { maxEventTimeMs: null, deadLetters: 0 },
  });
  audit.addPartition({
    partition: 0,
    firstOffset: 0,
    deadLetterHorizon: 0,
    entries: [0, 2, 3].map((at) => entry(log, at)),
    now: entry(log, 4),
  });
  for (const row of counts) audit.addStoredCount(row);
  const partition = audit.partition(0)!;
  for (const letter of deadLetters) partition.addStored(letter);
  const event = (offset: number) =>
    audit.addEvent(partition, {
      offset,
      event: { lotteryName: "a", eventType: "pay", timestampMs: timeOf(log[offset]!) },
      sha256: () => contentHash(offset),
    });
  assert.equal(partition.begin(0), 0);
  event(0);
  assert.equal(partition.begin(2), 2); // the dead letter at 1 was deleted before it was read
  event(2);
  event(3);
  const report = audit.report();
  assert.equal(report.verdict, "not provable");
  assert.deepEqual(report.rows, { agreeing: 2, wrong: 0, notProvable: 1 });
  assert.deepEqual(report.deadLetters, { agreeing: 0, wrong: 0, notProvable: 1 });
});

Deno.test("Audit is wrong if an hour is, and not held back by hours whose minutes are deleted", () => {
  const difference = {
    hourStartMs: START_MS,
    lotteryName: "a",
    eventType: "pay",
    stored: 2,
    ofMinutes: 1,
  };
  for (
    const [hours, differences, verdict] of [
      [{ agreeing: 1, wrong: 1, notProvable: 0 }, [difference], "wrong"],
      [{ agreeing: 1, wrong: 0, notProvable: 7 }, [], "agrees"],
    ] as const
  ) {
    const report = new Audit({
      windowMs: MINUTE_MS,
      atMs: START_MS,
      closedUpToMs: null,
      horizonMs: -Infinity,
      ledger: { ...NOTHING_SINCE, counted: 0, dead: 0, hourEvents: 0, deadLetters: 0 },
      hours: { hours, differences },
      hoursFromMs: -Infinity,
      windowsAhead: new Set(),
      abandoned: { maxEventTimeMs: null, deadLetters: 0 },
    }).report();
    assert.equal(report.verdict, verdict);
    assert.deepEqual(report.hours, hours);
    assert.deepEqual(report.hourDifferences, differences);
  }
});

/** An audit without a row. */
const NOTHING_COUNTED = {
  windowMs: MINUTE_MS,
  atMs: START_MS,
  closedUpToMs: null,
  horizonMs: -Infinity,
  ...HOURS_AGREE,
  windowsAhead: new Set<number>(),
  abandoned: { maxEventTimeMs: null, deadLetters: 0 },
};

Deno.test("Audit adds up the rows itself, and those that are not in the hours yet", () => {
  const audit = new Audit({
    ...NOTHING_COUNTED,
    ledger: { ...NOTHING_SINCE, counted: 12, dead: 0, hourEvents: 5, deadLetters: 0 },
    hoursFromMs: START_MS + MINUTE_MS,
  });
  for (const [minute, count] of [[0, 7], [1, 3], [2, 2]] as const) {
    const windowStartMs = START_MS + minute * MINUTE_MS;
    const windowEndMs = windowStartMs + MINUTE_MS;
    audit.addStoredCount({ windowStartMs, windowEndMs, lotteryName: "a", eventType: "pay", count });
  }
  const { ledger, ledgerDifferences } = audit.report();
  assert.deepEqual([ledger.events, ledger.eventsNotInHours], [12, 7]);
  assert.deepEqual(ledgerDifferences, []);
});

Deno.test("Audit since a time takes earlier rows that are not in the hours yet for what they are", () => {
  const audit = new Audit({
    ...NOTHING_COUNTED,
    sinceMs: START_MS,
    ledger: { ...NOTHING_SINCE, counted: 12, dead: 0, hourEvents: 5, deadLetters: 0 },
    earlier: { events: 12, eventsNotInHours: 7, wrongEnds: 0, differences: [] },
  });
  const { ledger, verdict } = audit.report();
  assert.deepEqual([ledger.events, ledger.eventsNotInHours], [12, 7]);
  assert.equal(verdict, "agrees");
});

Deno.test("Audit since a time is not held back by the dead letters of a log that a reset has left", () => {
  const verdictSince = (sinceMs: number | null) =>
    new Audit({
      ...NOTHING_COUNTED,
      sinceMs,
      ledger: { ...NOTHING_SINCE, counted: 0, dead: 2, hourEvents: 0, deadLetters: 2 },
      abandoned: { maxEventTimeMs: null, deadLetters: 2 },
    }).report().verdict;
  assert.equal(verdictSince(null), "not provable");
  assert.equal(verdictSince(START_MS), "agrees");
});

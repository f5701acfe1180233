import assert from "node:assert/strict";
import type { AuditReport } from "../../../lib/core/audit/audit.ts";
import { MAX_SENTENCES, noteOf } from "../../../lib/core/audit/audit_note.ts";

const NONE = { agreeing: 0, wrong: 0, notProvable: 0 };

/** All agrees, except for what a test says. */
function reportOf(differing: Partial<AuditReport> = {}): AuditReport {
  const noTotals = {
    ...{ counted: 0, dead: 0, deadLetters: 0, hourEvents: 0, replayedLetters: 0 },
    ...{ deletedEvents: 0, deletedHourEvents: 0, deletedLetters: 0, events: 0 },
  };
  return {
    verdict: "agrees",
    atMs: Date.UTC(2026, 0, 31, 12),
    fromMs: null,
    toMs: null,
    records: 12,
    provableAfterMs: -Infinity,
    rows: NONE,
    hours: NONE,
    deadLetters: NONE,
    ledger: { ...noTotals, eventsNotInHours: 0, balance: true },
    ledgerDifferences: [],
    rowDifferences: [],
    hourDifferences: [],
    deadLetterDifferences: [],
    partitionDifferences: [],
    problems: [],
    recordsWaiting: 0,
    hasWorkers: true,
    ...differing,
  };
}

const TIMES = { seconds: 1.5, roundMs: 900_000 };

Deno.test("A note counts what agrees, what is wrong and what is not provable", () => {
  const note = noteOf(
    reportOf({
      rows: { agreeing: 1_000, wrong: 1, notProvable: 5 },
      hours: { agreeing: 60, wrong: 2, notProvable: 40 },
      deadLetters: { agreeing: 4, wrong: 3, notProvable: 2 },
      partitionDifferences: [
        {
          partition: 1,
          fromOffset: 7,
          toOffset: 2_010,
          stored: { counted: 1, dead: 0 },
          recounted: { counted: 2, dead: 1 },
        },
      ],
      ledgerDifferences: [{ sum: "events in hours", stored: 1, expected: 2 }],
    }),
    TIMES,
  );
  assert.equal(note.rows, 1_064);
  assert.equal(note.wrong, 8);
  assert.equal(note.notProvable, 7);
  assert.equal(note.seconds, 1.5);
  assert.equal(note.roundMs, 900_000);
});

Deno.test("A note names each kind of difference in a sentence that is safe to print", () => {
  const windowStartMs = Date.UTC(2026, 0, 31, 12, 34);
  const row = {
    ...{ windowStartMs, lotteryName: "a\x1b[31mb", eventType: "pay", stored: 1_234 },
    ...{ recounted: 1_233, isPartial: false, hasWrongEnd: false },
  };
  const { firstWrong } = noteOf(
    reportOf({
      rowDifferences: [
        row,
        { ...row, lotteryName: "gone", stored: null },
        { ...row, lotteryName: "part", isPartial: true },
        { ...row, lotteryName: "end", hasWrongEnd: true },
      ],
      hourDifferences: [
        {
          hourStartMs: Date.UTC(2026, 0, 31, 12),
          lotteryName: "c",
          eventType: "click",
          stored: 7,
          ofMinutes: null,
        },
      ],
      deadLetterDifferences: [
        { partition: 2, offset: 1_234_567, stored: null, recounted: "not_json" },
      ],
      partitionDifferences: [
        {
          partition: 3,
          fromOffset: 7,
          toOffset: 2_010,
          stored: { counted: 1, dead: 0 },
          recounted: { counted: 2_000, dead: 1 },
        },
      ],
      ledgerDifferences: [{ sum: "events in hours", stored: 1_000, expected: 2 }],
      problems: ["Partition 4 is counted by no worker"],
    }),
    TIMES,
  );
  assert.deepEqual(firstWrong, [
    "Window 2026-01-31 12:34:00Z, a\\u{1b}[31mb, pay: stored 1,234, recounted 1,233",
    "Window 2026-01-31 12:34:00Z, gone, pay: stored no row, recounted 1,233",
    "Window 2026-01-31 12:34:00Z, part, pay: stored 1,234, at least 1,233 recounted",
    "Window 2026-01-31 12:34:00Z, end, pay: its window_end is wrong",
    "Hour 2026-01-31 12:00:00Z, c, click: stored 7, its minutes have no row",
    "Dead letter at offset 1234567 of partition 2: stored none, recounted not_json",
    "Partition 3, offsets 7 to 2009: stored 1 event and 0 dead letters, recounted 2,000 events and 1 dead letter",
    "The sum of events in hours: stored 1,000, by the ledger 2",
    "Partition 4 is counted by no worker",
  ]);
});

Deno.test("A note names something of each kind, however many of one kind are wrong", () => {
  const rowDifferences = Array.from({ length: 1_000 }, (_, at) => ({
    ...{ windowStartMs: at * 60_000, lotteryName: "many", eventType: "pay", stored: 1 },
    ...{ recounted: 2, isPartial: false, hasWrongEnd: false },
  }));
  const { firstWrong } = noteOf(
    reportOf({
      rowDifferences,
      deadLetterDifferences: [{ partition: 0, offset: 1, stored: null, recounted: "not_json" }],
      ledgerDifferences: [{ sum: "events in hours", stored: 1, expected: 2 }],
    }),
    TIMES,
  );
  assert.equal(firstWrong.length, MAX_SENTENCES);
  assert.match(firstWrong[0]!, /^Window 1970-01-01 00:00:00Z/);
  assert.match(firstWrong[17]!, /^Window 1970-01-01 00:17:00Z/);
  assert.match(firstWrong[18]!, /^Dead letter/);
  assert.match(firstWrong[19]!, /^The sum of events in hours/);
});

import assert from "node:assert/strict";
import { auditJson } from "../../../lib/commands/audit/report.ts";
import { reportJson } from "../../../lib/commands/cli/json.ts";
import { statusJson } from "../../../lib/commands/status/report.ts";
import type { AuditReport } from "../../../lib/core/audit/audit.ts";
import type { Status } from "../../../lib/core/views/status.ts";
import { AUDIT, QUIET } from "../../support/watched.ts";

/** Names of fields at any depth. */
function namesIn(value: unknown): string[] {
  if (typeof value !== "object" || value === null) return [];
  const names = Array.isArray(value) ? [] : Object.keys(value);
  return [...names, ...Object.values(value).flatMap(namesIn)];
}

function assertSnakeCase(json: string, expected: readonly string[]): void {
  const names = namesIn(JSON.parse(json));
  for (const name of names) assert.match(name, /^[a-z]+(_[a-z]+)*$/);
  for (const name of expected) assert.ok(names.includes(name), `${name} in ${names.join(", ")}`);
}

Deno.test("reportJson() changes names at every depth, and no value", () => {
  const report = {
    firstOffset: 1,
    anyNames: [{ ofALottery: "megaDraw", noTime: null }],
    list: [1, "aB"],
    left: undefined,
  };
  assert.deepEqual(JSON.parse(reportJson(report)), {
    first_offset: 1,
    any_names: [{ of_a_lottery: "megaDraw", no_time: null }],
    list: [1, "aB"],
  });
});

Deno.test("audit --json is snake_case", () => {
  const tallies = { agreeing: 1, wrong: 1, notProvable: 0 };
  const report: AuditReport = {
    verdict: "wrong",
    atMs: 180_000,
    fromMs: null,
    toMs: 120_000,
    records: 2,
    provableAfterMs: 0,
    rows: tallies,
    hours: tallies,
    deadLetters: tallies,
    ledger: {
      counted: 1,
      dead: 1,
      events: 1,
      deadLetters: 1,
      replayedLetters: 0,
      deletedEvents: 0,
      deletedLetters: 0,
      hourEvents: 2,
      deletedHourEvents: 0,
      eventsNotInHours: 0,
      balance: false,
    },
    ledgerDifferences: [{ sum: "events in hours", stored: 2, expected: 1 }],
    rowDifferences: [{
      windowStartMs: 60_000,
      lotteryName: "megaDraw",
      eventType: "pay",
      stored: 1,
      recounted: 2,
      isPartial: false,
      hasWrongEnd: false,
    }],
    hourDifferences: [{
      hourStartMs: 0,
      lotteryName: "megaDraw",
      eventType: "pay",
      stored: null,
      ofMinutes: 1,
    }],
    deadLetterDifferences: [],
    partitionDifferences: [{
      partition: 0,
      fromOffset: 0,
      toOffset: 1,
      stored: { counted: 1, dead: 0 },
      recounted: { counted: 0, dead: 1 },
    }],
    problems: [],
    recordsWaiting: 0,
    hasWorkers: true,
  };
  const json = auditJson(report, 10);
  assertSnakeCase(json, [
    "provable_after",
    "window_start",
    "lottery_name",
    "of_minutes",
    "hour_events",
    "from_offset",
  ]);
  assert.equal(JSON.parse(json).at, "1970-01-01T00:03:00.000Z");
  assert.equal(JSON.parse(json).from, null);
  assert.equal(JSON.parse(json).to, "1970-01-01T00:02:00.000Z");
  assert.equal(JSON.parse(json).row_differences[0].window_start, "1970-01-01T00:01:00.000Z");
  assert.equal(JSON.parse(json).hour_differences[0].hour_start, "1970-01-01T00:00:00.000Z");
});

Deno.test("status --json is snake_case", () => {
  const status: Status = {
    topic: "user-events",
    groupId: "lottery-aggregates",
    isCompacted: false,
    partitions: [{
      partition: 0,
      storedOffset: 1,
      log: { startOffset: 0, endOffset: 1 },
      unavailable: null,
      maxEventTimeMs: 1,
      committedAtMs: 1,
      caughtUpAtMs: null,
    }],
    group: {
      isSettled: true,
      members: [{ clientId: "a", host: "b", partitions: [0] }],
    },
    workers: [{ id: "a", host: "b", startedMs: 1, seenMs: 2, isAlive: true, partitions: [0] }],
    uncounted: [],
    watermarkMs: 1,
    closedUpToMs: null,
    output: { topic: "closed", handedOverToMs: 1, waiting: 0 },
    deadLetters: [{ reason: "not_json", records: 1, replayed: 0 }],
    audit: AUDIT,
    booksDifference: 0,
    quiet: { total: 1, listed: [QUIET] },
    findings: [],
  };
  const json = statusJson({ status, problems: [], nowMs: AUDIT.atMs });
  assertSnakeCase(json, [
    "stored_offset",
    "client_id",
    "handed_over_to",
    "closed_up_to",
    "not_provable",
    "is_overdue",
    "books_difference",
    "quiet_since",
    "quiet_lotteries",
    "seen_at",
  ]);
  assert.equal(JSON.parse(json).workers[0].started_at, "1970-01-01T00:00:00.001Z");
});

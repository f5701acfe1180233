/**
 * What the tests of `audit`, `status` and `reset` have in common: a stack with counts in it.
 * @module
 */

import assert from "node:assert/strict";
import { openAdmin } from "./kafka.ts";
import type { TestStack } from "./stack.ts";
import { runProgram } from "./worker_process.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;

/** Always the same, also when an hour ends between two calls. */
const LOADED_MS = Date.now();

/** Beginning of a full hour, so many hours ago. */
export function hourAgo(hours: number): number {
  return Math.floor((LOADED_MS - hours * HOUR_MS) / HOUR_MS) * HOUR_MS;
}

/** Events of one lottery, `perMinute` in each of the minutes, as lines for a producer. */
export function eventsOf(
  lotteryName: string,
  { fromMs, minutes, perMinute }: {
    readonly fromMs: number;
    readonly minutes: number;
    readonly perMinute: number;
  },
): string[] {
  return Array.from({ length: minutes * perMinute }, (_, n) =>
    JSON.stringify({
      lottery_name: lotteryName,
      event_type: "pay",
      timestamp: fromMs + Math.floor(n / perMinute) * MINUTE_MS + n % perMinute,
    }));
}

/** Counts everything that is there. */
export async function countAll({ env }: Pick<TestStack, "env">): Promise<void> {
  const { code, stderr } = await runProgram(["start", "--once"], { env });
  assert.equal(code, 0, stderr);
}

/** Deletes all records before these offsets, as retention does. */
export async function deleteRecords(
  { topic }: TestStack,
  before: ReadonlyMap<number, number>,
): Promise<void> {
  await using admin = await openAdmin(topic.brokers);
  await admin.fetchTopicOffsets(topic.name); // it needs to know the topic before it deletes in it
  await admin.deleteTopicRecords({
    topic: topic.name,
    partitions: Array.from(before, ([partition, offset]) => ({
      partition,
      offset: String(offset),
    })),
  });
}

/** Runs `audit --json` and reads its report. */
export async function auditReport(
  { env }: Pick<TestStack, "env">,
  ...options: readonly string[]
): Promise<AuditAnswer> {
  const { code, stdout, stderr } = await runProgram(["audit", "--json", ...options], { env });
  assert.notEqual(stdout, "", stderr);
  return { code, ...JSON.parse(stdout) };
}

/** The report as programs see it, and the exit code. */
export interface AuditAnswer {
  readonly code: number;
  readonly verdict: string;
  readonly at: string;
  readonly from: string | null;
  readonly to: string | null;
  readonly records: number;
  readonly provable_after: string | null;
  readonly rows: {
    readonly agreeing: number;
    readonly wrong: number;
    readonly not_provable: number;
  };
  readonly hours: AuditAnswer["rows"];
  readonly dead_letters: AuditAnswer["rows"];
  readonly ledger: {
    readonly balance: boolean;
    readonly counted: number;
    readonly events: number;
    readonly hour_events: number;
    readonly events_not_in_hours: number;
  };
  readonly ledger_differences: readonly {
    readonly sum: string;
    readonly stored: number;
    readonly expected: number;
  }[];
  readonly row_differences: readonly {
    readonly lottery_name: string;
    readonly stored: number | null;
    readonly recounted: number | null;
    readonly is_partial: boolean;
    readonly has_wrong_end: boolean;
  }[];
  readonly hour_differences: readonly {
    readonly hour_start: string;
    readonly lottery_name: string;
    readonly event_type: string;
    readonly stored: number | null;
    readonly of_minutes: number | null;
  }[];
  readonly dead_letter_differences: readonly {
    readonly partition: number;
    readonly offset: number;
    readonly stored: string | null;
    readonly recounted: string | null;
  }[];
  readonly partition_differences: readonly {
    readonly partition: number;
    readonly from_offset: number;
    readonly to_offset: number;
  }[];
}

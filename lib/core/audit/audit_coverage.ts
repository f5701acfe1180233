/**
 * What an audit says of records that are in no count yet. It compares what was counted; that a part
 * of the topic is not counted at all must not look as if everything agreed.
 * @module
 */

import { partitionNames } from "../offsets/partition_names.ts";
import { groupDigits } from "../text/numbers.ts";
import { type Coverage, coverageProblems, lagOf, recordsWaiting } from "../views/status.ts";
import type { AuditReport } from "./audit.ts";

/**
 * The report, with what is left out of the counts for good: partitions that nobody counts, that stand
 * still though workers run, or that were never counted. What workers are about to count, or the next
 * one will, is only said.
 */
export function withCoverage(
  report: AuditReport,
  coverage: Coverage,
  { groupId, nowMs }: { readonly groupId: string; readonly nowMs: number },
): AuditReport {
  const hasWorkers = coverage.workers.some(({ isAlive }) => isAlive);
  const problems = [
    ...coverageProblems(coverage, { groupId, nowMs }),
    ...hasWorkers ? [] : neverCounted(coverage),
  ];
  const isIncomplete = problems.length > 0 && report.verdict !== "wrong";
  return {
    ...report,
    verdict: isIncomplete ? "incomplete" : report.verdict,
    problems,
    recordsWaiting: recordsWaiting(coverage),
    hasWorkers,
  };
}

/** Partitions of which nothing was ever counted, though they hold records. */
function neverCounted({ partitions }: Coverage): string[] {
  const never = partitions.filter((each) => each.storedOffset === null && (lagOf(each) ?? 0) > 0);
  if (never.length === 0) return [];
  const ids = never.map(({ partition }) => partition);
  return [
    `${partitionNames(ids)} ${ids.length === 1 ? "was" : "were"} never counted: ${
      groupDigits(recordsWaiting({ partitions: never }))
    } records wait, and no worker runs`,
  ];
}

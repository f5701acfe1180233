/**
 * Records that an audit finds uncounted: if part of the topic is not counted at all, the audit must
 * not report that everything agrees.
 * @module
 */

import { partitionNames } from "../offsets/partition_names.ts";
import { plural } from "../text/numbers.ts";
import { type Coverage, coverageProblems, lagBehind, recordsWaiting } from "../views/status.ts";
import type { AuditReport } from "./audit.ts";

/**
 * The report, with what will stay uncounted: partitions that no worker counts, that do not move
 * although workers run, or that were never counted. Records that a worker is about to count are
 * only mentioned.
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

/** Partitions that hold records but were never counted. */
function neverCounted({ partitions }: Coverage): string[] {
  const never = partitions.filter((each) =>
    each.storedOffset === null && (lagBehind(each) ?? 0) > 0
  );
  if (never.length === 0) return [];
  const ids = never.map(({ partition }) => partition);
  return [
    `${partitionNames(ids)} ${ids.length === 1 ? "was" : "were"} never counted: ${
      plural(recordsWaiting({ partitions: never }), "record is", "records are")
    } waiting, and no worker is running`,
  ];
}

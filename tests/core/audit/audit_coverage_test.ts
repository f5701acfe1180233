import assert from "node:assert/strict";
import type { AuditReport, Verdict } from "../../../lib/core/audit/audit.ts";
import { withCoverage } from "../../../lib/core/audit/audit_coverage.ts";
import type { UncountedReason } from "../../../lib/core/offsets/coverage.ts";
import type { Coverage, PartitionStatus } from "../../../lib/core/views/status.ts";

const NOW_MS = 1_000_000_000_000;
const HOUR_MS = 3_600_000;

const COUNTED: PartitionStatus = {
  partition: 0,
  storedOffset: 100,
  log: { startOffset: 0, endOffset: 100 },
  unavailable: null,
  maxEventTimeMs: NOW_MS,
  committedAtMs: NOW_MS,
  caughtUpAtMs: NOW_MS,
};
const HOLDER = { clientId: "console-consumer", host: "i" };
const LAGGING: PartitionStatus = { ...COUNTED, partition: 1, storedOffset: 60 };
const STANDING: PartitionStatus = {
  ...LAGGING,
  committedAtMs: NOW_MS - HOUR_MS,
  caughtUpAtMs: null,
};
const NEVER: PartitionStatus = { ...STANDING, storedOffset: null, committedAtMs: null };
const WORKER = {
  id: "lottery-worker-1",
  host: "h",
  startedMs: NOW_MS - HOUR_MS,
  seenMs: NOW_MS,
  isAlive: true,
  partitions: [0],
};

/** An audit that found `verdict`, of a topic whose second partition is like this. */
function report(
  partition: PartitionStatus,
  { verdict = "agrees", reason, hasWorker = true }: {
    readonly verdict?: Verdict;
    readonly reason?: UncountedReason;
    readonly hasWorker?: boolean;
  } = {},
): AuditReport {
  const coverage: Coverage = {
    partitions: [COUNTED, partition],
    group: { isSettled: true, members: [] },
    workers: [{ ...WORKER, isAlive: hasWorker }],
    uncounted: reason ? [{ partition: 1, reason, leaderProblem: null, holder: HOLDER }] : [],
  };
  return withCoverage({ verdict } as AuditReport, coverage, { groupId: "g", nowMs: NOW_MS });
}

for (
  const [rule, found, verdict, problem] of [
    ["nothing where all is counted", report({ ...COUNTED, partition: 1 }), "agrees", null],
    ["nothing of lag that workers work off", report(LAGGING), "agrees", null],
    [
      "nothing of lag that the next worker will count",
      report(STANDING, { hasWorker: false }),
      "agrees",
      null,
    ],
    [
      "a partition that another program has",
      report(STANDING, { reason: "another_program" }),
      "incomplete",
      /^partition 1 is not counted \(40 records waiting\): another program/,
    ],
    [
      "a partition that another database counts",
      report(NEVER, { reason: "another_database" }),
      "incomplete",
      /^partition 1 is not counted \(100 records waiting\): console-consumer on i has it/,
    ],
    [
      "a partition that lags for good",
      report(STANDING),
      "incomplete",
      /^partition 1: 40 records are waiting, but nothing has been committed for 3600 s/,
    ],
    [
      "a partition that was never counted, without workers",
      report(NEVER, { hasWorker: false }),
      "incomplete",
      /^partition 1 was never counted: 100 records are waiting, and no worker is running/,
    ],
    [
      "nothing of one without records",
      report({ ...NEVER, log: { startOffset: 5, endOffset: 5 } }, { hasWorker: false }),
      "agrees",
      null,
    ],
    [
      "what is wrong all the same",
      report(STANDING, { verdict: "wrong" }),
      "wrong",
      /nothing has been committed/,
    ],
    [
      "more than that not all is provable",
      report(STANDING, { verdict: "not provable" }),
      "incomplete",
      /nothing has been committed/,
    ],
  ] as const
) {
  Deno.test(`an audit tells ${rule}`, () => {
    assert.equal(found.verdict, verdict);
    if (problem === null) assert.deepEqual(found.problems, []);
    else assert.match(found.problems.join("\n"), problem);
  });
}

Deno.test("an audit tells how much the next worker will have to count", () => {
  const { recordsWaiting, hasWorkers } = report(LAGGING, { hasWorker: false });
  assert.deepEqual([recordsWaiting, hasWorkers], [40, false]);
});

import assert from "node:assert/strict";
import type { UncountedPartition } from "../../../lib/core/offsets/coverage.ts";
import {
  lagBehind,
  type PartitionStatus,
  problemsOf,
  type Status,
} from "../../../lib/core/views/status.ts";
import { STATUS } from "../../support/status.ts";
import { AUDIT, QUIET } from "../../support/watched.ts";

const NOW_MS = 1_000_000_000_000;

const PARTITION: PartitionStatus = {
  partition: 3,
  storedOffset: 50,
  log: { startOffset: 10, endOffset: 50 },
  maxEventTimeMs: NOW_MS,
  committedAtMs: NOW_MS - 1_000,
  caughtUpAtMs: NOW_MS - 1_000,
  unavailable: null,
};

const WORKER = {
  id: "lottery-worker-1",
  host: "h",
  startedMs: NOW_MS - 7_200_000,
  seenMs: NOW_MS,
  isAlive: true,
  partitions: [3],
};

const SETTLED = { isSettled: true, members: [] };

/** Partition 3, as it is counted by none. */
function gap(reason: UncountedPartition["reason"]): Partial<Status> {
  const leaderProblem = reason === "no_leader" ? "no leader" : null;
  const holder = { clientId: "c", host: "i" };
  return { uncounted: [{ partition: 3, reason, leaderProblem, holder }] };
}

function problems(partition: Partial<PartitionStatus>, status: Partial<Status> = {}): string[] {
  return problemsOf({
    ...STATUS,
    groupId: "g",
    partitions: [{ ...PARTITION, ...partition }],
    group: SETTLED,
    workers: [WORKER],
    ...status,
  }, NOW_MS);
}

const LAGGING = { log: { startOffset: 0, endOffset: 60 } };
const LONG_AGO = { committedAtMs: NOW_MS - 3_600_000, caughtUpAtMs: NOW_MS - 61_000 };

for (
  const [rule, found, expected] of [
    ["nothing of a partition at its end", problems({}), []],
    ["nothing of one that lags for a moment", problems({ ...LAGGING, caughtUpAtMs: NOW_MS }), []],
    [
      "nothing of one that was idle until now",
      problems({
        ...LAGGING,
        ...LONG_AGO,
        caughtUpAtMs: NOW_MS - 10_000,
      }),
      [],
    ],
    ["one that lags and stands still", problems({ ...LAGGING, ...LONG_AGO }), [
      /partition 3: 10 records are waiting, but nothing has been committed for 61 s/,
    ]],
    [
      "a standstill although a clock that was ahead has left times in the future",
      problems({ ...LAGGING, ...LONG_AGO, committedAtMs: NOW_MS + 3_600_000 }),
      [/nothing has been committed for 61 s/],
    ],
    [
      "nothing of how long, if all times are in the future",
      problems({ ...LAGGING, committedAtMs: NOW_MS + 1, caughtUpAtMs: null }, {
        workers: [{ ...WORKER, startedMs: NOW_MS + 1 }],
      }),
      [],
    ],
    ["lag without workers, once", problems({ ...LAGGING, ...LONG_AGO }, { workers: [] }), [
      /10 records are waiting to be counted, but the group g has no worker/,
    ]],
    [
      "lag beside a worker that is dead",
      problems(LAGGING, { workers: [{ ...WORKER, isAlive: false }] }),
      [/10 records are waiting to be counted, but the group g has no worker/],
    ],
    ["nothing without workers and without lag", problems({}, { workers: [] }), []],
    [
      "nothing of lag that a worker has only begun to work off",
      problems({ ...LAGGING, ...LONG_AGO }, {
        workers: [{ ...WORKER, startedMs: NOW_MS - 30_000 }],
      }),
      [],
    ],
    [
      "a partition that another program has, once",
      problems({ ...LAGGING, ...LONG_AGO }, gap("another_program")),
      [
        /^partition 3 is not counted \(10 records waiting\): another program in the group g has it, c on i\./,
      ],
    ],
    ["it also while no worker runs", problems({}, { ...gap("another_program"), workers: [] }), [
      /^partition 3 is not counted: another program/,
    ]],
    ["a partition that no member has", problems({}, gap("nobody")), [/no member of the group g/]],
    [
      "nothing of it while partitions are shared out",
      problems({}, { ...gap("nobody"), group: { ...SETTLED, isSettled: false } }),
      [],
    ],
    ["nothing of it while no worker runs", problems({}, { ...gap("nobody"), workers: [] }), []],
    ["nothing of a partition that a worker is about to read", problems({}, gap("not_read")), []],
    [
      "a partition without a leader, once",
      problems({ log: null, unavailable: "no leader" }, gap("no_leader")),
      [
        /^partition 3 is not counted: no leader\./,
      ],
    ],
    [
      "a partition that its worker does not begin with",
      problems({ storedOffset: null, committedAtMs: null, caughtUpAtMs: null }),
      [/partition 3: 40 records are waiting, but none has been counted for 7200 s/],
    ],
    [
      "a partition that cannot be read, and not that the topic has lost it",
      problems({ log: null, unavailable: "no leader" }),
      [/^Cannot read all of the topic: partition 3: no leader$/],
    ],
    ["records that are gone", problems({ log: { startOffset: 55, endOffset: 55 } }), [
      /deleted 5 offsets before they were counted/,
    ]],
    ["a log that is too short", problems({ log: { startOffset: 0, endOffset: 49 } }), [
      /counted up to offset 50, but the log ends at 49/,
    ]],
    ["a partition that is gone", problems({ log: null }), [
      /partition 3 .* up to offset 50, but the topic no longer has it/,
    ]],
    [
      "nothing of a new partition",
      problems({ storedOffset: null, log: { startOffset: 0, endOffset: 0 }, ...LONG_AGO }),
      [],
    ],
    ["nothing of an audit that agrees, or that could prove a part only, however old", [
      ...problems({}, { audit: AUDIT }),
      ...problems({}, { audit: { ...AUDIT, verdict: "not provable", notProvable: 7 } }),
    ], []],
    [
      "an audit that found something wrong, with the first of it",
      problems({}, {
        audit: { ...AUDIT, verdict: "wrong", wrong: 1_200, firstWrong: ["Window a", "Window b"] },
      }),
      [
        /^The last audit, at 2026-01-01 11:56:30Z, found 1,200 differences: Window a\. `audit` names/,
      ],
    ],
    ["nothing of books that are not known", problems({}, { booksDifference: null }), []],
    ["hours that lack an event", problems({}, { booksDifference: 1 }), [
      /^The books do not balance: lottery_hours has 1 event fewer than were counted\. `audit`/,
    ]],
    ["hours that have too many events", problems({}, { booksDifference: -1_500 }), [
      /lottery_hours has 1,500 events more than were counted/,
    ]],
    [
      "nothing of lotteries that are quiet: the pipeline is well",
      problems({}, {
        quiet: { total: 1, listed: [QUIET] },
      }),
      [],
    ],
    ["what else was found", problems({ log: null }, { group: null, findings: ["Kafka"] }), [
      /^Kafka$/,
    ]],
  ] as const
) {
  Deno.test(`problemsOf() tells ${rule}`, () => {
    assert.equal(found.length, expected.length, found.join("\n"));
    expected.forEach((pattern, at) => assert.match(found[at]!, pattern));
  });
}

Deno.test("lagBehind() of a partition without stored offset is all that its log holds", () => {
  assert.equal(lagBehind({ ...PARTITION, storedOffset: null }), 40);
  assert.equal(lagBehind({ ...PARTITION, log: null }), null);
});

import assert from "node:assert/strict";
import {
  type CoverageView,
  describeUncounted,
  missingPartitions,
  uncountedPartitions,
  type UncountedReason,
  type WorkerStatus,
} from "../../../lib/core/offsets/coverage.ts";
import { LastingGaps } from "../../../lib/core/offsets/lasting_gaps.ts";

const OURS = "lottery-worker-00000001";

function worker(partitions: readonly number[], changes: Partial<WorkerStatus> = {}): WorkerStatus {
  return { id: OURS, host: "vm", startedMs: 0, seenMs: 0, isAlive: true, partitions, ...changes };
}

/** A topic of four partitions, and who says what of them. */
function view(
  { workers = [worker([0, 2])], members = [], leaderless = [] }: {
    readonly workers?: readonly WorkerStatus[];
    readonly members?: CoverageView["group"]["members"];
    readonly leaderless?: readonly number[];
  },
): CoverageView {
  return {
    partitions: [0, 1, 2, 3].map((partition) => ({
      partition,
      leaderProblem: leaderless.includes(partition) ? "no leader" : null,
    })),
    workers,
    group: { isSettled: true, members },
  };
}

function told(changes: Parameters<typeof view>[0], lags: readonly [number, number][] = []) {
  const uncounted = uncountedPartitions(view(changes));
  return describeUncounted(uncounted, { groupId: "g", lags: new Map(lags) });
}

const own = { clientId: OURS, host: "10.0.0.1", partitions: [0, 2] };

for (
  const [rule, found, expected] of [
    ["nothing where workers count all", told({ workers: [worker([0, 1]), worker([2, 3])] }), []],
    [
      "another program, and how much waits",
      told({
        members: [own, { clientId: "console-consumer", host: "10.0.0.7", partitions: [1, 3] }],
      }, [[0, 99], [1, 4_000], [3, 800]]),
      [
        "partitions 1 and 3 are not counted (4,800 records waiting): another program in the group g has them, " +
        "console-consumer on 10.0.0.7. Stop it, or give it another group",
      ],
    ],
    [
      "each member of its own, and a worker of another database",
      told({
        members: [
          own,
          { clientId: "lottery-worker-ffffffff", host: "h", partitions: [1] },
          { clientId: "x", host: "i", partitions: [3] },
        ],
      }),
      [
        "partition 1 is not counted: lottery-worker-ffffffff on h has it, a worker that is not registered in this database: " +
        "it counts into another one, or cannot reach this one. Workers of another database need another KAFKA_GROUP_ID",
        "partition 3 is not counted: another program in the group g has it, x on i. Stop it, or give it another group",
      ],
    ],
    [
      "a worker that has a partition and does not read it",
      told({ members: [{ ...own, partitions: [0, 1, 2, 3] }] }),
      [
        `partitions 1 and 3 are not counted: ${OURS} on 10.0.0.1 has them, but does not read them. See its log`,
      ],
    ],
    [
      "one without a leader, whoever has it",
      told({ workers: [worker([0, 1, 2, 3])], leaderless: [2], members: [own] }),
      [
        "partition 2 is not counted: no leader. Start a broker that has it",
      ],
    ],
    [
      "what no member has",
      told({ members: [own] }),
      [
        "partitions 1 and 3 are not counted: no member of the group g has them. " +
        "Check whether another program uses the group",
      ],
    ],
    [
      "what Kafka does not let us see",
      told({ members: null }),
      [
        "partitions 1 and 3 are not counted: they may belong to another program, but Kafka does not allow us to list " +
        "the members of the group g. Grant Describe on the group and on all topics that it reads",
      ],
    ],
    [
      "what a dead worker has had",
      told({ workers: [worker([0, 1, 2, 3], { isAlive: false })], members: [own] }).length,
      2,
    ],
  ] as const
) {
  Deno.test(`describeUncounted() tells ${rule}`, () => assert.deepEqual(found, expected));
}

Deno.test("missingPartitions() needs no look at the group", () => {
  const { partitions, workers } = view({ workers: [worker([0]), worker([3])] });
  const missing = missingPartitions({ partitions, workers });
  assert.deepEqual(missing.map(({ partition }) => partition), [1, 2]);
});

const GAP = {
  partition: 1,
  reason: "no_leader",
  leaderProblem: "no leader",
  holder: null,
} as const;
const lastingMs = (reason: UncountedReason) => reason === "nobody" ? 60 : 30;

Deno.test("LastingGaps tells what lasts, with its begin, and no rebalance", () => {
  const watch = new LastingGaps({ lastingMs, gapMs: 15 });
  assert.deepEqual(watch.update([GAP], 0), []);
  assert.deepEqual(watch.update([GAP], 10), []);
  assert.deepEqual(watch.update([], 20), [], "it was only shared out again");
  for (const nowMs of [30, 40, 50]) assert.deepEqual(watch.update([GAP], nowMs), []);
  const other = { ...GAP, reason: "another_program" } as const;
  assert.deepEqual(watch.update([other], 60), [{ ...other, sinceMs: 30 }]);
  assert.deepEqual(watch.update([], 70), []);
});

Deno.test("LastingGaps knows nothing of a time without looks, but does not forget what it has told", () => {
  const watch = new LastingGaps({ lastingMs, gapMs: 15 });
  watch.update([GAP], 0);
  assert.deepEqual(watch.update([GAP], 100), [], "it may have been counted meanwhile");
  for (const nowMs of [110, 120]) assert.deepEqual(watch.update([GAP], nowMs), []);
  assert.deepEqual(watch.update([GAP], 130), [{ ...GAP, sinceMs: 100 }]);
  const another = { ...GAP, partition: 2 };
  assert.deepEqual(watch.update([GAP, another], 500), [{ ...GAP, sinceMs: 100 }]);
});

Deno.test("LastingGaps waits longer for partitions that are only to be shared out", () => {
  const watch = new LastingGaps({ lastingMs, gapMs: 15 });
  const free = { ...GAP, reason: "nobody" } as const;
  for (let nowMs = 0; nowMs < 60; nowMs += 10) assert.deepEqual(watch.update([free], nowMs), []);
  assert.deepEqual(watch.update([free], 60), [{ ...free, sinceMs: 0 }]);
});

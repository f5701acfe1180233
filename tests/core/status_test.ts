import assert from "node:assert/strict";
import { lagOf, type PartitionStatus, problemsOf, type Status } from "../../lib/core/status.ts";

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

function problems(partition: Partial<PartitionStatus>, status: Partial<Status> = {}): string[] {
  return problemsOf({
    topic: "t",
    groupId: "g",
    partitions: [{ ...PARTITION, ...partition }],
    members: [{ id: "m", host: "h", partitions: [3] }],
    workers: [],
    watermarkMs: null,
    closedUpToMs: null,
    output: null,
    deadLetters: [],
    findings: [],
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
      /partition 3: 10 records wait, and nothing was committed for 61 s/,
    ]],
    ["lag without workers, once", problems({ ...LAGGING, ...LONG_AGO }, { members: [] }), [
      /10 records wait to be counted, but no worker is in the group g/,
    ]],
    ["nothing without workers and without lag", problems({}, { members: [] }), []],
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
      /partition 3: .* up to offset 50, but the topic does not have it any more/,
    ]],
    ["nothing of a new partition", problems({ storedOffset: null }), []],
    ["what else was found", problems({ log: null }, { members: null, findings: ["Kafka"] }), [
      /^Kafka$/,
    ]],
  ] as const
) {
  Deno.test(`problemsOf() tells ${rule}`, () => {
    assert.equal(found.length, expected.length, found.join("\n"));
    expected.forEach((pattern, at) => assert.match(found[at]!, pattern));
  });
}

Deno.test("lagOf() of a partition without stored offset is all that its log holds", () => {
  assert.equal(lagOf({ ...PARTITION, storedOffset: null }), 40);
  assert.equal(lagOf({ ...PARTITION, log: null }), null);
});

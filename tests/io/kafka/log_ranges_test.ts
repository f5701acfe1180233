import assert from "node:assert/strict";
import type {
  InternalBroker,
  InternalCluster,
} from "../../../lib/io/kafka/kafkajs/internal_cluster.ts";
import { viewLog, type ViewOptions } from "../../../lib/io/kafka/log_ranges.ts";

/** A failure as kafkajs has it. */
function failure(name: string, more: object = {}): Error {
  return Object.assign(new Error("it failed"), { name }, more);
}

const MOVED = failure("KafkaJSProtocolError", {
  type: "NOT_LEADER_FOR_PARTITION",
  retriable: true,
});
const REFUSED = failure("KafkaJSConnectionError", { code: "ECONNREFUSED" });

/** Who leads the partitions, in their order; and the end of a partition, or why it is not told. */
interface Round {
  readonly leaders: readonly number[];
  readonly answer: (partition: number, leader: number) => number | Error;
}

/** A cluster that is in another state at each look, and stays in the last one. */
function clusterOf(...rounds: readonly Round[]): InternalCluster {
  let round = -1;
  const now = () => rounds[Math.min(round, rounds.length - 1)]!;
  const broker = (leader: number): InternalBroker => ({
    fetch: () => Promise.reject(new Error("nothing is fetched")),
    listOffsets: ({ topics }) => {
      const { topic, partitions } = topics[0]!;
      const answers = partitions.map(({ partition, timestamp }) => ({
        partition,
        offset: timestamp === -2 ? 0 : now().answer(partition, leader),
      }));
      const failed = answers.find(({ offset }) => offset instanceof Error);
      if (failed) return Promise.reject(failed.offset);
      return Promise.resolve({
        responses: [{
          topic,
          partitions: answers.map(({ partition, offset }) => ({
            partition,
            offset: String(offset),
          })),
        }],
      });
    },
  });
  return {
    connect: () => Promise.resolve(),
    disconnect: () => Promise.resolve(),
    addTargetTopic: () => Promise.resolve(),
    refreshMetadata: () => Promise.resolve(void round++),
    findTopicPartitionMetadata: () =>
      now().leaders.map((leader, partitionId) => ({ partitionId, leader, replicas: [7] })),
    findBroker: ({ nodeId }) => Promise.resolve(broker(Number(nodeId))),
    brokerPool: { metadata: { clusterId: "c" } },
  };
}

async function view(cluster: InternalCluster, options: Partial<ViewOptions> = {}) {
  const { ranges, unavailable } = await viewLog(cluster, {
    ...{ topic: "t", partitions: undefined, seenEnds: new Map() },
    reasonOf: (error) => (error as Error).name,
    ...options,
  });
  return {
    ends: Object.fromEntries(Array.from(ranges, ([id, { endOffset }]) => [id, endOffset])),
    unavailable: Object.fromEntries(unavailable),
  };
}

Deno.test("viewLog() tells of every partition that can be read, and why the others cannot", async () => {
  const cluster = clusterOf({
    leaders: [1, 2, -1, 1],
    answer: (partition, leader) => leader === 2 ? REFUSED : 10 + partition,
  });
  assert.deepEqual(await view(cluster), {
    ends: { 0: 10, 3: 13 },
    unavailable: {
      1: "KafkaJSConnectionError",
      2: "no leader, because its only copy is on broker 7, which is down",
    },
  });
  assert.deepEqual(await view(cluster, { partitions: [3] }), { ends: { 3: 13 }, unavailable: {} });
});

Deno.test("viewLog() finds a leader that is moving, and a partition that is just being added", async () => {
  const cluster = clusterOf(
    { leaders: [1], answer: () => MOVED },
    { leaders: [-1, 2], answer: () => 5 },
    { leaders: [2, 2], answer: () => 5 },
  );
  const found = await view(cluster, { partitions: [0, 1] });
  assert.deepEqual(found, { ends: { 0: 5, 1: 5 }, unavailable: {} });
});

Deno.test("viewLog() does not believe at once that a log has become shorter", async () => {
  const seenEnds = new Map([[0, 100]]);
  const thawed = clusterOf(
    { leaders: [1], answer: () => 60 },
    { leaders: [2], answer: () => 120 },
  );
  assert.deepEqual((await view(thawed, { seenEnds })).ends, { 0: 120 });
  const shorter = clusterOf({ leaders: [1], answer: () => 60 });
  assert.deepEqual((await view(shorter, { seenEnds })).ends, { 0: 60 });
});

Deno.test("viewLog() fails where an operator is required", async () => {
  const forbidden = failure("KafkaJSProtocolError", {
    type: "TOPIC_AUTHORIZATION_FAILED",
    retriable: false,
  });
  await assert.rejects(view(clusterOf({ leaders: [1], answer: () => forbidden })), forbidden);
});

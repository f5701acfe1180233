/**
 * A member of a group as kafkajs has it, with one broker that does as it is told.
 * @module
 */

import { createRequire } from "node:module";
import "../../lib/io/kafka/kafkajs/kafkajs.ts";
import type { FetchProgress } from "../../lib/io/kafka/kafkajs/patched_fetch.ts";

const require = createRequire(import.meta.url);
const ConsumerGroup = require("kafkajs/src/consumer/consumerGroup.js");
const OffsetManager = require("kafkajs/src/consumer/offsetManager/index.js");
const InstrumentationEventEmitter = require("kafkajs/src/instrumentation/emitter.js");
const errors = require("kafkajs/src/errors.js");

const silent = () => {};
const logger = {
  namespace: () => logger,
  ...{ debug: silent, info: silent, warn: silent, error: silent },
};
export const refused = () => new errors.KafkaJSConnectionError("refused", { code: "ECONNREFUSED" });

/** A broker as a member of a group uses it; its answer to a fetch, and what comes of it on the wire. */
export function makeBroker(fetch: (queue: FetchQueue) => Promise<unknown>) {
  const requestQueue: FetchQueue = { receivedBytes: 0, throttledUntil: 0 };
  const connection = { requestQueue, isConnected: () => true };
  return {
    fetch: () => fetch(requestQueue),
    isConnected: () => true,
    heartbeat: () => Promise.resolve(),
    connectionPool: { pool: [connection, connection] },
  };
}

export interface FetchQueue {
  receivedBytes: number;
  throttledUntil: number;
}

/** A member that has partitions 0 and 1 of a topic, which broker 1 leads, and what its fetches told. */
export function makeGroup(broker: ReturnType<typeof makeBroker>) {
  const told: FetchProgress[] = [];
  let refreshes = 0;
  const instrumentationEmitter = new InstrumentationEventEmitter();
  instrumentationEmitter.addListener(
    "consumer.fetch",
    ({ payload }: { readonly payload: FetchProgress }) => told.push(payload),
  );
  const cluster = {
    brokerPool: { brokers: { 1: broker } },
    refreshMetadata: () => Promise.resolve(void refreshes++),
    refreshMetadataIfNecessary: () => Promise.resolve(),
    findTopicPartitionMetadata: () => [0, 1].map((partitionId) => ({ partitionId, leader: 1 })),
    findBroker: () => Promise.resolve(broker),
    committedOffsets: () => ({ events: { 0: "0", 1: "0" } }),
  };
  const group = new ConsumerGroup({
    ...{ cluster, logger, instrumentationEmitter },
    ...{ topics: ["events"], maxBytes: 1_000 },
  });
  group.subscriptionState.assign([{ topic: "events", partitions: [0, 1] }]);
  group.offsetManager = new OffsetManager({
    cluster,
    memberAssignment: { events: [0, 1] },
    groupId: "group",
  });
  group.coordinator = broker;
  group.memberId = "member";
  group.lastRequest = 0;
  return { group, told, refreshes: () => refreshes };
}

/** An answer to a fetch. */
export const NOTHING = { responses: [] };

/**
 * A group member in kafkajs: it outlives a coordinator, and neither reads nor resets the offsets
 * stored in Kafka.
 * @module
 */

import "./patched_fetch.ts"; // before what uses those parts is loaded
import "kafkajs/src/consumer/consumerGroup.js";
import "kafkajs/src/consumer/offsetManager/index.js";
import { delay } from "../../../async/delay.ts";
import { isBrokerError, isPartitionError } from "../broker_errors.ts";
import { AWAY_MS, rejoin } from "./patched_fetch.ts";
import { require } from "./replace.ts";

/** How long to wait for another coordinator, while the group still knows us. */
const JOIN_TIMEOUT_MS = 12_000;

interface ConsumerGroup {
  readonly cluster: { refreshMetadata(): Promise<void> };
  readonly coordinator: {
    readonly connectionPool: { readonly pool: readonly { isConnected(): boolean }[] };
  };
  readonly interrupted?: Set<number>;
}

const { prototype: group } = require("kafkajs/src/consumer/consumerGroup.js");
const { heartbeat, joinAndSync } = group;

/** The original retries a coordinator that is away, and never looks for the new one. */
group.heartbeat = async function (
  this: ConsumerGroup,
  options: { readonly interval: number },
): Promise<void> {
  const [connection] = this.coordinator.connectionPool.pool;
  if (!connection!.isConnected()) throw rejoin("NOT_COORDINATOR_FOR_GROUP");
  try {
    await heartbeat.call(this, options);
  } catch (error) {
    throw isBrokerError(error) ? rejoin("NOT_COORDINATOR_FOR_GROUP", error) : error;
  }
};

/** The original gives up before another broker takes over, and loses its member id with that. */
group.joinAndSync = async function (this: ConsumerGroup): Promise<void> {
  const deadline = performance.now() + JOIN_TIMEOUT_MS;
  for (;;) {
    try {
      await joinAndSync.call(this);
      this.interrupted?.clear(); // all partitions start over
      return;
    } catch (error) {
      const passesSoon = isBrokerError(error) || isPartitionError(error);
      if (!passesSoon || performance.now() > deadline) throw error;
    }
    await delay(AWAY_MS);
    await this.cluster.refreshMetadata(); // unless all brokers are away
  }
};

interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

type Offsets = Record<string, Record<number, string>>;

interface OffsetManager {
  readonly cluster: {
    fetchTopicsOffset(
      topics: readonly {
        readonly topic: string;
        readonly partitions: readonly { readonly partition: number }[];
        readonly fromBeginning: boolean;
      }[],
    ): Promise<readonly { readonly partitions: readonly { readonly offset: string }[] }[]>;
  };
  readonly memberAssignment: Readonly<Record<string, readonly number[]>>;
  readonly resolvedOffsets: Offsets;
  committedOffsets(): Offsets;
}

const { prototype: offsetManager } = require("kafkajs/src/consumer/offsetManager/index.js");

/**
 * The original reads the group's offsets, and requests the start of the others from all leaders:
 * with one leaderless partition it reads none. We always seek.
 */
offsetManager.resolveOffsets = function (this: OffsetManager): Promise<void> {
  const offsets = this.committedOffsets();
  for (const [topic, partitions] of Object.entries(this.memberAssignment)) {
    for (const partition of partitions) offsets[topic]![partition] ??= "0";
  }
  return Promise.resolve();
};

/** The original also goes to the start of a log that lacks the offset, but stores it for the group. */
offsetManager.setDefaultOffset = async function (
  this: OffsetManager,
  { topic, partition }: TopicPartition,
): Promise<void> {
  const [start] = await this.cluster.fetchTopicsOffset([
    { topic, partitions: [{ partition }], fromBeginning: true },
  ]);
  this.resolvedOffsets[topic]![partition] = start!.partitions[0]!.offset;
};

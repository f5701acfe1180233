/**
 * A member of a group in kafkajs: it stays one whatever becomes of a coordinator, and Kafka's
 * stored offsets are neither read nor reset.
 * @module
 */

import "./patched_fetch.ts"; // before what uses those parts is loaded
import "kafkajs/src/consumer/consumerGroup.js";
import "kafkajs/src/consumer/offsetManager/index.js";
import { delay } from "../../../async/delay.ts";
import { isBrokerError, isPartitionError } from "../broker_errors.ts";
import { AWAY_MS, joinAgain } from "./patched_fetch.ts";
import { require } from "./replace.ts";

/** How long another coordinator is waited for, while the group still knows us. */
const JOIN_PATIENCE_MS = 12_000;

/** What is used of kafkajs's member of a group. */
interface ConsumerGroup {
  readonly cluster: { refreshMetadata(): Promise<void> };
  readonly coordinator: {
    readonly connectionPool: { readonly pool: readonly { isConnected(): boolean }[] };
  };
  readonly interrupted?: Set<number>;
}

const { prototype: group } = require("kafkajs/src/consumer/consumerGroup.js");
const { heartbeat, joinAndSync } = group;

/** The original asks a coordinator that is away again and again, and never who it is now. */
group.heartbeat = async function (
  this: ConsumerGroup,
  options: { readonly interval: number },
): Promise<void> {
  const [connection] = this.coordinator.connectionPool.pool;
  if (!connection!.isConnected()) throw joinAgain("NOT_COORDINATOR_FOR_GROUP");
  try {
    await heartbeat.call(this, options);
  } catch (error) {
    throw isBrokerError(error) ? joinAgain("NOT_COORDINATOR_FOR_GROUP", error) : error;
  }
};

/** The original gives up before another broker is coordinator, and with it the name that the group knows it by. */
group.joinAndSync = async function (this: ConsumerGroup): Promise<void> {
  const deadline = performance.now() + JOIN_PATIENCE_MS;
  for (;;) {
    try {
      await joinAndSync.call(this);
      this.interrupted?.clear(); // all of it was begun anew
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

/** Offsets by topic and partition. */
type Offsets = Record<string, Record<number, string>>;

/** What is used of kafkajs's keeper of offsets. */
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
 * The original reads where the group stands, and asks all leaders where the others begin: with
 * one partition that has no leader it reads none. We always say where to read.
 */
offsetManager.resolveOffsets = function (this: OffsetManager): Promise<void> {
  const offsets = this.committedOffsets();
  for (const [topic, partitions] of Object.entries(this.memberAssignment)) {
    for (const partition of partitions) offsets[topic]![partition] ??= "0";
  }
  return Promise.resolve();
};

/** The original goes to the start of a log that does not have the offset, too, but stores that for the group. */
offsetManager.setDefaultOffset = async function (
  this: OffsetManager,
  { topic, partition }: TopicPartition,
): Promise<void> {
  const [start] = await this.cluster.fetchTopicsOffset([
    { topic, partitions: [{ partition }], fromBeginning: true },
  ]);
  this.resolvedOffsets[topic]![partition] = start!.partitions[0]!.offset;
};

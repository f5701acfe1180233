/**
 * The part of kafkajs below its consumer: brokers, and who leads which partition.
 * @module
 */

import type { AbortedTransaction, BatchMessage } from "./kafkajs/fetch_decoder.ts";
import type { Kafka } from "./kafkajs/kafkajs.ts";

export const READ_COMMITTED = 1;

/** Connects when it is used. */
export interface RawCluster {
  connect(): Promise<void>;
  disconnect(): Promise<void>;
  /** Keeps the topic among those that are known. */
  addTargetTopic(topic: string): Promise<void>;
  /** Asks who leads which partition now. */
  refreshMetadata(): Promise<void>;
  findTopicPartitionMetadata(topic: string): readonly PartitionMetadata[];
  findBroker(of: { readonly nodeId: string }): Promise<RawBroker>;
  readonly brokerPool: { readonly metadata: { readonly clusterId: string } };
}

/** One partition as the cluster knows it. */
export interface PartitionMetadata {
  readonly partitionId: number;
  /** Id of a broker; below 0 if none of those that have the partition is there. */
  readonly leader: number;
  /** Brokers that have the partition. */
  readonly replicas: readonly number[];
}

interface PartitionsOf<Partition> {
  readonly topic: string;
  readonly partitions: readonly Partition[];
}

export interface FetchAnswer {
  /** How long the broker answers nothing from now on, in milliseconds. */
  readonly clientSideThrottleTime?: number;
  readonly responses: readonly {
    readonly partitions: readonly {
      readonly messages: readonly BatchMessage[];
      readonly abortedTransactions?: readonly AbortedTransaction[] | null;
    }[];
  }[];
}

export interface RawBroker {
  fetch(request: unknown): Promise<FetchAnswer>;
  listOffsets(request: {
    readonly isolationLevel: number;
    readonly topics: readonly PartitionsOf<
      { readonly partition: number; readonly timestamp: number }
    >[];
  }): Promise<{
    readonly responses: readonly PartitionsOf<
      { readonly partition: number; readonly offset: string }
    >[];
  }>;
}

/** What kafkajs's consumer itself reads with is kept under a symbol. */
export function createRawCluster(kafka: Kafka): RawCluster {
  const symbol = Object.getOwnPropertySymbols(kafka)
    .find(({ description }) => description === "private:Kafka:createCluster");
  const create = symbol && (kafka as unknown as Record<symbol, unknown>)[symbol];
  if (typeof create !== "function") throw new Error("Cannot find how kafkajs opens a cluster");
  return create({
    metadataMaxAge: 60_000,
    allowAutoTopicCreation: false,
    isolationLevel: READ_COMMITTED,
  });
}

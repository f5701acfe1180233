/**
 * kafkajs below its consumer: its brokers, and which of them leads which partition.
 * @module
 */

import { withTimeout } from "../../../async/delay.ts";
import { CLOSE_TIMEOUT_MS } from "../client.ts";
import type { AbortedTransaction, BatchMessage } from "./fetch_decoder.ts";
import type { Kafka } from "./kafkajs.ts";

export const READ_COMMITTED = 1;

export interface InternalCluster {
  connect(): Promise<void>;
  disconnect(): Promise<void>;
  /** Includes the topic in the metadata from now on. */
  addTargetTopic(topic: string): Promise<void>;
  refreshMetadata(): Promise<void>;
  findTopicPartitionMetadata(topic: string): readonly PartitionMetadata[];
  findBroker(of: { readonly nodeId: string }): Promise<InternalBroker>;
  readonly brokerPool: { readonly metadata: { readonly clusterId: string } };
}

export interface PartitionMetadata {
  readonly partitionId: number;
  /** Id of a broker; below 0 if no broker with a copy is up. */
  readonly leader: number;
  readonly replicas: readonly number[];
}

interface PartitionsOf<Partition> {
  readonly topic: string;
  readonly partitions: readonly Partition[];
}

export interface FetchAnswer {
  /** How long the broker sends nothing from now on, in milliseconds. */
  readonly clientSideThrottleTime?: number;
  readonly responses: readonly {
    readonly partitions: readonly {
      readonly messages: readonly BatchMessage[];
      readonly abortedTransactions?: readonly AbortedTransaction[] | null;
    }[];
  }[];
}

export interface InternalBroker {
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

/** A cluster that is connected and has the topic in its metadata. */
export async function openInternalCluster(kafka: Kafka, topic: string): Promise<InternalCluster> {
  const cluster = createInternalCluster(kafka);
  try {
    await cluster.connect();
    await cluster.addTargetTopic(topic);
    return cluster;
  } catch (error) {
    await withTimeout(CLOSE_TIMEOUT_MS, cluster.disconnect());
    throw error;
  }
}

/** Calls the factory that kafkajs keeps for its own consumer, under a symbol. */
export function createInternalCluster(kafka: Kafka): InternalCluster {
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

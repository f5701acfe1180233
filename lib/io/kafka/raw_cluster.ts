/**
 * The part of kafkajs below its clients: brokers, who leads which partition, who coordinates a
 * group, and requests as they go over the wire.
 * @module
 */

import type { Buffer } from "node:buffer";
import type { Kafka } from "./kafkajs.ts";

/** A request, and how its answer is read. */
export interface RawRequest<T> {
  readonly request: {
    readonly apiKey: number;
    readonly apiVersion: number;
    readonly apiName: string;
    encode(): Promise<unknown>;
  };
  readonly response: {
    decode(payload: Buffer): Promise<unknown>;
    parse(decoded: unknown): Promise<T>;
  };
}

export interface RawBroker {
  /** By API key, what the broker speaks. */
  readonly versions: Readonly<Record<number, { readonly maxVersion: number } | undefined>>;
  readonly connectionPool: { send<T>(request: RawRequest<T>): Promise<T> };
}

export interface RawCluster<B extends RawBroker = RawBroker> {
  connect(): Promise<void>;
  disconnect(): Promise<void>;
  addTargetTopic(topic: string): Promise<void>;
  refreshMetadata(): Promise<void>;
  findLeaderForPartitions(topic: string, partitions: readonly number[]): Record<string, number[]>;
  findTopicPartitionMetadata(
    topic: string,
  ): readonly { readonly partitionId: number; readonly leader: number }[];
  findBroker(of: { readonly nodeId: string }): Promise<B>;
  findGroupCoordinator(of: { readonly groupId: string }): Promise<B>;
}

export const READ_COMMITTED = 1;

/** What the consumer of kafkajs itself reads with is kept under a symbol. */
export function createCluster<B extends RawBroker = RawBroker>(kafka: Kafka): RawCluster<B> {
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

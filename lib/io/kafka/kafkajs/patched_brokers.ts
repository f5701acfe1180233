/**
 * Brokers of kafkajs: where one does not answer, another is tried; and a topic remains usable
 * while one of its partitions has no leader.
 * @module
 */

import "kafkajs/src/broker/index.js";
import "kafkajs/src/cluster/brokerPool.js";
import "kafkajs/src/cluster/connectionPoolBuilder.js";
import "kafkajs/src/errors.js";
import "kafkajs/src/protocol/error.js";
import "kafkajs/src/protocol/requests/metadata/v0/response.js";
import { type Address, Addresses } from "./addresses.ts";
import { isBrokerError, NoBrokerError } from "../broker_errors.ts";
import { replaceExports, require } from "./replace.ts";

const { KafkaJSBrokerNotFound } = require("kafkajs/src/errors.js");

interface ConnectionPoolBuilder {
  build(destination?: Address): Promise<unknown>;
  readonly addresses: Addresses;
}

interface BuilderOptions {
  readonly brokers: readonly string[];
}

const BUILDER = "kafkajs/src/cluster/connectionPoolBuilder.js";
const originalBuilder: (options: BuilderOptions) => Omit<ConnectionPoolBuilder, "addresses"> =
  require(BUILDER);
/** One for each list that a client was given: all its connections share what is known to fail. */
const known = new WeakMap<readonly string[], Addresses>();

/**
 * The original starts with the first address each time, whether it failed before or not, and
 * splits IPv6 addresses at their first colon.
 */
replaceExports(BUILDER, (options: BuilderOptions): ConnectionPoolBuilder => {
  const { brokers } = options;
  const addresses = known.get(brokers) ?? new Addresses(brokers);
  known.set(brokers, addresses);
  const { build } = originalBuilder(options);
  return { build: (destination = addresses.first) => build(destination), addresses };
});

interface Broker {
  readonly connectionPool: Address & { readonly sasl: unknown };
  versions: unknown;
  isConnected(): boolean;
  connect(): Promise<void>;
}

const { prototype: broker } = require("kafkajs/src/broker/index.js");
const { isConnected, connect } = broker;

/**
 * The original requests versions from the first broker only, and considers it connected before it
 * has answered. The kernel of a frozen one accepts connections, so each has to answer first, with
 * its versions or to a log-in.
 */
broker.isConnected = function (this: Broker): boolean {
  return this.versions !== null && isConnected.call(this);
};
broker.connect = async function (this: Broker): Promise<void> {
  if (!isConnected.call(this) && !this.connectionPool.sasl) this.versions = null;
  await connect.call(this);
};

interface Partition {
  readonly leader: number;
}

interface BrokerPool {
  readonly connectionPoolBuilder: ConnectionPoolBuilder;
  readonly brokers: Readonly<Record<string, Broker>>;
  /** The one at a given address; missing once it was removed. */
  readonly seedBroker?: Broker;
  readonly logger: { error(message: string): void };
  versions: unknown;
  readonly metadata: {
    readonly topicMetadata: readonly { readonly partitionMetadata: readonly Partition[] }[];
  };
  metadataExpireAt: number;
  hasConnectedBrokers(): boolean;
  createSeedBroker(): Promise<void>;
  findBroker(of: { readonly nodeId: string }): Promise<Broker>;
}

/** An address may be a name with several hosts, and each attempt uses another. */
const MIN_ATTEMPTS = 3;
/** How soon to refresh the metadata while a partition has no leader. */
const LEADERLESS_REFRESH_MS = 2_000;

const { prototype: brokerPool } = require("kafkajs/src/cluster/brokerPool.js");
const { refreshMetadata } = brokerPool;

/** The original retries some failures twice, at the same address or the next, and others not at all. */
brokerPool.connect = async function (this: BrokerPool): Promise<void> {
  if (this.hasConnectedBrokers()) return;
  const { addresses } = this.connectionPoolBuilder;
  const failures = new Set<string>();
  for (let left = Math.max(addresses.count, MIN_ATTEMPTS);; left--) {
    await this.createSeedBroker();
    const seed = this.seedBroker!;
    try {
      await seed.connect();
      this.versions = seed.versions;
      return;
    } catch (error) {
      if (!isBrokerError(error)) throw error;
      const { host, port } = seed.connectionPool;
      const { message, code } = error as Error & { readonly code?: unknown };
      this.logger.error(`Cannot connect to ${host}:${port}: ${message}`);
      // A socket's code is a word; Kafka's own is a number, which tells nobody anything.
      failures.add(`${host}:${port}: ${typeof code === "string" ? code : message}`);
      addresses.failed({ host, port });
      if (left <= 1) throw new NoBrokerError([...failures].join("; "));
    }
  }
};

/** The original fails if the one broker that it picks does not answer. */
brokerPool.refreshMetadata = async function (
  this: BrokerPool,
  topics: readonly string[],
): Promise<void> {
  const { addresses } = this.connectionPoolBuilder;
  for (let left = Math.max(addresses.count, Object.keys(this.brokers).length);; left--) {
    try {
      await refreshMetadata.call(this, topics);
      break;
    } catch (error) {
      if (!isBrokerError(error)) throw error;
      const seed = this.seedBroker;
      if (seed && !seed.isConnected()) addresses.failed(seed.connectionPool);
      if (left <= 1) throw error;
    }
  }
  const isLeaderless = this.metadata.topicMetadata.some(({ partitionMetadata }) =>
    partitionMetadata.some(({ leader }) => leader < 0)
  );
  if (!isLeaderless) return;
  this.metadataExpireAt = Math.min(this.metadataExpireAt, Date.now() + LEADERLESS_REFRESH_MS);
};

type BrokerRequest<T> = (
  broker: { readonly nodeId: string; readonly broker: Broker },
) => Promise<T>;

/**
 * The original gives up when it cannot connect to the first broker, and drops the errors of the
 * others: a forbidden group would look like a missing coordinator.
 */
brokerPool.withBroker = async function <T>(
  this: BrokerPool,
  send: BrokerRequest<T>,
): Promise<T> {
  const isAway = (nodeId: string) => this.brokers[nodeId]!.isConnected() ? 0 : 1;
  const nodeIds = Object.keys(this.brokers).sort((a, b) => isAway(a) - isAway(b));
  let failure: unknown = new KafkaJSBrokerNotFound("No brokers in the broker pool");
  for (const nodeId of nodeIds) {
    try {
      return await send({ nodeId, broker: await this.findBroker({ nodeId }) });
    } catch (error) {
      if (/_AUTHORIZATION_FAILED$/.test((error as { type?: string }).type ?? "")) throw error;
      failure = error;
    }
  }
  throw failure;
};

interface TopicMetadata {
  readonly topicErrorCode: number;
}

const METADATA = "kafkajs/src/protocol/requests/metadata/v0/response.js";
const { createErrorFromCode, failure } = require("kafkajs/src/protocol/error.js");

/** To the original, a partition without a leader is a failure of the whole topic, and of all others. */
replaceExports(METADATA, {
  ...require(METADATA),
  parse: (data: { readonly topicMetadata: readonly TopicMetadata[] }) => {
    const failed = data.topicMetadata.find(({ topicErrorCode }) => failure(topicErrorCode));
    if (failed) return Promise.reject(createErrorFromCode(failed.topicErrorCode));
    return Promise.resolve(data);
  },
});

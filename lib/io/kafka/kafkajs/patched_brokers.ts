/**
 * Brokers of kafkajs: where one does not answer, another one is asked; and a topic is known
 * although one of its partitions has no leader.
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

/** What is used of kafkajs's builder of connections. */
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
/** One for each list that a client was given: what fails is known to all that it opens. */
const known = new WeakMap<readonly string[], Addresses>();

/**
 * The original begins with the first address each time, whatever became of it before, and takes
 * IPv6 addresses apart at their first colon.
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
 * The original asks only the first broker for its versions, and takes it for connected before it
 * has answered. A frozen one is connected to by its kernel alone: each has to answer first, by
 * its versions or by a log-in.
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

/** What is used of kafkajs's pool of brokers. */
interface BrokerPool {
  readonly connectionPoolBuilder: ConnectionPoolBuilder;
  readonly brokers: Readonly<Record<string, Broker>>;
  /** The one whose address was given; none after it was removed. */
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

/** An address may be a name of several hosts, of which each try takes another one. */
const LEAST_TRIES = 3;
/** How soon to ask again who leads a partition without a leader. */
const LEADERLESS_REFRESH_MS = 2_000;

const { prototype: brokerPool } = require("kafkajs/src/cluster/brokerPool.js");
const { refreshMetadata } = brokerPool;

/** The original tries some failures twice more, at the same address or the next, and others not at all. */
brokerPool.connect = async function (this: BrokerPool): Promise<void> {
  if (this.hasConnectedBrokers()) return;
  const { addresses } = this.connectionPoolBuilder;
  const failures = new Set<string>();
  for (let left = Math.max(addresses.count, LEAST_TRIES);; left--) {
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
      // That of a socket is a word; Kafka's own is a number that says nothing to anybody.
      failures.add(`${host}:${port}: ${typeof code === "string" ? code : message}`);
      addresses.failed({ host, port });
      if (left <= 1) throw new NoBrokerError([...failures].join("; "));
    }
  }
};

/** The original fails if the broker that it happens to ask does not answer. */
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

/** A question that any broker can answer. */
type BrokerQuestion<T> = (
  broker: { readonly nodeId: string; readonly broker: Broker },
) => Promise<T>;

/**
 * The original gives up when it cannot connect to the first one that it tries, and forgets why
 * the others failed: that the group is forbidden would look like a coordinator that is away.
 */
brokerPool.withBroker = async function <T>(
  this: BrokerPool,
  question: BrokerQuestion<T>,
): Promise<T> {
  const isAway = (nodeId: string) => this.brokers[nodeId]!.isConnected() ? 0 : 1;
  const nodeIds = Object.keys(this.brokers).sort((a, b) => isAway(a) - isAway(b));
  let failure: unknown = new KafkaJSBrokerNotFound("No brokers in the broker pool");
  for (const nodeId of nodeIds) {
    try {
      return await question({ nodeId, broker: await this.findBroker({ nodeId }) });
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

/** The original takes a partition without a leader for a failure of the whole topic, and of all others. */
replaceExports(METADATA, {
  ...require(METADATA),
  parse: (data: { readonly topicMetadata: readonly TopicMetadata[] }) => {
    const failed = data.topicMetadata.find(({ topicErrorCode }) => failure(topicErrorCode));
    if (failed) return Promise.reject(createErrorFromCode(failed.topicErrorCode));
    return Promise.resolve(data);
  },
});

/**
 * Fetches of a member of a group in kafkajs: it stays one however long they take, a broker that is
 * away takes only its own partitions along, and what they show besides records is told.
 * @module
 */

import "./patches.ts"; // before what uses those parts is loaded
import "kafkajs/src/consumer/consumerGroup.js";
import "kafkajs/src/errors.js";
import { delay, withTimeout } from "../../../async/delay.ts";
import { isBrokerError, isPartitionError } from "../broker_errors.ts";
import { require } from "./replace.ts";

const { KafkaJSError } = require("kafkajs/src/errors.js");

/** How often a member shows life while a fetch is under way. */
const HEARTBEAT_MS = 1_000;
/** How long a broker that is away is left alone, or one that has just lost a partition or got it. */
export const AWAY_MS = 500;

/** What a fetch from one broker shows, besides records. */
export interface FetchProgress {
  /** Partitions that are read there. */
  readonly partitions: readonly number[];
  /** They may have to wait for their turn: others come as fast as they can, or the broker has us wait. */
  readonly isBusy: boolean;
  /** How long the broker gives nothing from now on, because we have had our share; told once. */
  readonly throttledMs: number;
  /** It is the first that went well after one that failed: the log may be another one now. */
  readonly isBack: boolean;
}

interface TopicPartitions {
  readonly topic: string;
  readonly partitions: readonly number[];
}

/** What is used of kafkajs's member of a group. */
interface ConsumerGroup {
  readonly cluster: {
    readonly brokerPool: { readonly brokers: Readonly<Record<string, Broker>> };
    refreshMetadata(): Promise<void>;
  };
  readonly maxBytes: number;
  readonly subscriptionState: { assigned(): TopicPartitions[] };
  readonly instrumentationEmitter: { emit(type: string, payload: FetchProgress): void };
  filterPartitionsByNode(nodeId: string, assigned: TopicPartitions[]): TopicPartitions[];
  heartbeat(options: { readonly interval: number }): Promise<void>;
  /** Partitions whose last fetch has failed. */
  interrupted?: Set<number>;
}

/** A broker and its connections, of which the second is for fetches alone. */
interface Broker {
  readonly connectionPool: { readonly pool: readonly [unknown, Connection] };
}

interface Connection {
  readonly requestQueue: { readonly receivedBytes: number; readonly throttledUntil: number };
}

const { prototype: group } = require("kafkajs/src/consumer/consumerGroup.js");
const { fetch, recoverFromFetch } = group;

/**
 * The original shows no life while it waits for an answer, longer than a session if that comes
 * slowly or the broker has us wait; and nobody learns that it does.
 */
group.fetch = async function (this: ConsumerGroup, nodeId: string): Promise<readonly unknown[]> {
  const watched = new WatchedFetch(this, nodeId);
  let isUnderWay = true;
  const fetching = watched.run().finally(() => isUnderWay = false);
  fetching.catch(() => {}); // nobody waits for it once the group rebalances
  for (;;) {
    await withTimeout(HEARTBEAT_MS, fetching);
    if (!isUnderWay) return await fetching;
    watched.look();
    await this.heartbeat({ interval: HEARTBEAT_MS });
  }
};

/** One fetch, and what it shows. */
class WatchedFetch {
  readonly #group: ConsumerGroup;
  readonly #nodeId: string;
  /** Those that it is for, once it has found them. */
  #partitions: readonly number[] | null = null;
  #hasFailed = false;
  #bytesSeen: number;

  constructor(group: ConsumerGroup, nodeId: string) {
    this.#group = group;
    this.#nodeId = nodeId;
    this.#bytesSeen = this.#queue?.receivedBytes ?? 0;
  }

  /** @returns what was fetched; nothing if that failed, or is the first after one that failed. */
  async run(): Promise<readonly unknown[]> {
    const bytesBefore = this.#bytesSeen;
    const group = Object.create(this.#group, {
      recoverFromFetch: { value: (error: Error) => this.#recover(error) },
      filterPartitionsByNode: { value: this.#filterPartitions },
    });
    const batches = await fetch.call(group, this.#nodeId);
    const isBack = this.#isBack();
    // What is over at once was full, or it was all there was.
    const isFull = (this.#queue?.receivedBytes ?? 0) - bytesBefore > this.#group.maxBytes / 2;
    this.#tell({ isBusy: isFull, throttledMs: this.#throttledMs, isBack });
    return isBack ? [] : batches;
  }

  readonly #filterPartitions: ConsumerGroup["filterPartitionsByNode"] = (nodeId, assigned) => {
    const found = this.#group.filterPartitionsByNode(nodeId, assigned);
    this.#partitions = found.flatMap(({ partitions }) => partitions);
    return found;
  };

  /** Looks at it while it is under way: that it takes so long shows that it is large, or the line slow. */
  look(): void {
    const receivedBytes = this.#queue?.receivedBytes ?? 0;
    this.#tell({ isBusy: receivedBytes > this.#bytesSeen, throttledMs: 0, isBack: false });
    this.#bytesSeen = receivedBytes;
  }

  /**
   * The original stops all fetches and starts them again when one broker is away, three times;
   * then it is at an end. For a leader that has moved, or a partition that was added, each of its
   * fetches joins the group again, all at the same time.
   */
  async #recover(error: Error): Promise<void> {
    if (error.name === "KafkaJSStaleTopicMetadataAssignment") {
      throw joinAgain("REBALANCE_IN_PROGRESS", error);
    }
    if (!isBrokerError(error) && !isPartitionError(error)) {
      return await recoverFromFetch.call(this.#group, error);
    }
    this.#hasFailed = true;
    for (const partition of this.#partitions ?? this.#assigned) this.#interrupted.add(partition);
    await delay(AWAY_MS);
    await this.#group.cluster.refreshMetadata();
  }

  /** True if it did not fail, but the one before did. */
  #isBack(): boolean {
    if (this.#hasFailed) return false;
    const back = this.#partitions?.filter((partition) => this.#interrupted.delete(partition));
    return back !== undefined && back.length > 0;
  }

  #tell(shown: Omit<FetchProgress, "partitions">): void {
    this.#group.instrumentationEmitter.emit("consumer.fetch", {
      ...shown,
      isBusy: shown.isBusy || this.#throttledMs > 0,
      partitions: this.#partitions ?? [],
    });
  }

  get #interrupted(): Set<number> {
    return this.#group.interrupted ??= new Set();
  }

  get #assigned(): readonly number[] {
    return this.#group.subscriptionState.assigned().flatMap(({ partitions }) => partitions);
  }

  get #throttledMs(): number {
    return Math.max(0, (this.#queue?.throttledUntil ?? 0) - Date.now());
  }

  get #queue(): Connection["requestQueue"] | undefined {
    return this.#group.cluster.brokerPool.brokers[this.#nodeId]?.connectionPool.pool[1]
      .requestQueue;
  }
}

/** What makes kafkajs join the group again, by the name that it has there. */
export function joinAgain(type: string, cause?: unknown): Error {
  return Object.assign(new KafkaJSError("The group has to be joined again", { cause }), { type });
}

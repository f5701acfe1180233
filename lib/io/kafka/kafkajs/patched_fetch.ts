/**
 * Fetches of a group member in kafkajs: it remains a member however long they take, a broker that
 * is away affects only its own partitions, and their progress is reported.
 * @module
 */

import "./patches.ts"; // before what uses those parts is loaded
import "kafkajs/src/consumer/consumerGroup.js";
import "kafkajs/src/errors.js";
import { delay, withTimeout } from "../../../async/delay.ts";
import { isBrokerError, isPartitionError } from "../broker_errors.ts";
import { require } from "./replace.ts";

const { KafkaJSError } = require("kafkajs/src/errors.js");

/** How often a member sends heartbeats during a fetch. */
const HEARTBEAT_MS = 1_000;
/** Pause before the next request to a broker that is away, or that has just lost or got a partition. */
export const AWAY_MS = 500;

/** What a fetch from one broker reveals, besides records. */
export interface FetchProgress {
  readonly partitions: readonly number[];
  /** They may have to wait: for others that arrive at full speed, or because the broker throttles us. */
  readonly isBusy: boolean;
  /** How long the broker sends nothing from now on, because of a quota; reported once. */
  readonly throttledMs: number;
  /** It is the first success after a failure: the log may be another one now. */
  readonly isBack: boolean;
}

interface TopicPartitions {
  readonly topic: string;
  readonly partitions: readonly number[];
}

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
  interrupted?: Set<number>;
}

/** A broker and its connections; the second is only for fetches. */
interface Broker {
  readonly connectionPool: { readonly pool: readonly [unknown, Connection] };
}

interface Connection {
  readonly requestQueue: { readonly receivedBytes: number; readonly throttledUntil: number };
}

const { prototype: group } = require("kafkajs/src/consumer/consumerGroup.js");
const { fetch, recoverFromFetch } = group;

/**
 * The original sends no heartbeats while it waits for a response, which takes longer than a session
 * on a slow line or under a quota; and nobody learns of it.
 */
group.fetch = async function (this: ConsumerGroup, nodeId: string): Promise<readonly unknown[]> {
  const watched = new WatchedFetch(this, nodeId);
  let isUnderWay = true;
  const fetching = watched.run().finally(() => isUnderWay = false);
  fetching.catch(() => {}); // no longer awaited once the group rebalances
  for (;;) {
    await withTimeout(HEARTBEAT_MS, fetching);
    if (!isUnderWay) return await fetching;
    watched.check();
    await this.heartbeat({ interval: HEARTBEAT_MS });
  }
};

class WatchedFetch {
  readonly #group: ConsumerGroup;
  readonly #nodeId: string;
  /** The partitions it reads, once they are known. */
  #partitions: readonly number[] | null = null;
  #hasFailed = false;
  #bytesSeen: number;

  constructor(group: ConsumerGroup, nodeId: string) {
    this.#group = group;
    this.#nodeId = nodeId;
    this.#bytesSeen = this.#queue?.receivedBytes ?? 0;
  }

  /** @returns what was fetched; nothing after a failure, or for the first success after one. */
  async run(): Promise<readonly unknown[]> {
    const bytesBefore = this.#bytesSeen;
    const group = Object.create(this.#group, {
      recoverFromFetch: { value: (error: Error) => this.#recover(error) },
      filterPartitionsByNode: { value: this.#filterPartitions },
    });
    const batches = await fetch.call(group, this.#nodeId);
    const isBack = this.#isBack();
    // A quick response was either full, or all there was.
    const isFull = (this.#queue?.receivedBytes ?? 0) - bytesBefore > this.#group.maxBytes / 2;
    this.#report({ isBusy: isFull, throttledMs: this.#throttledMs, isBack });
    return isBack ? [] : batches;
  }

  readonly #filterPartitions: ConsumerGroup["filterPartitionsByNode"] = (nodeId, assigned) => {
    const found = this.#group.filterPartitionsByNode(nodeId, assigned);
    this.#partitions = found.flatMap(({ partitions }) => partitions);
    return found;
  };

  /** Reports a fetch that is still under way: it is large, or the line is slow. */
  check(): void {
    const receivedBytes = this.#queue?.receivedBytes ?? 0;
    this.#report({ isBusy: receivedBytes > this.#bytesSeen, throttledMs: 0, isBack: false });
    this.#bytesSeen = receivedBytes;
  }

  /**
   * When one broker is away, the original stops and restarts all fetches, three times; then it
   * gives up. For a leader that has moved, or a partition that was added, each of its fetches
   * rejoins the group, all at the same time.
   */
  async #recover(error: Error): Promise<void> {
    if (error.name === "KafkaJSStaleTopicMetadataAssignment") {
      throw rejoin("REBALANCE_IN_PROGRESS", error);
    }
    if (!isBrokerError(error) && !isPartitionError(error)) {
      return await recoverFromFetch.call(this.#group, error);
    }
    this.#hasFailed = true;
    for (const partition of this.#partitions ?? this.#assigned) this.#interrupted.add(partition);
    await delay(AWAY_MS);
    await this.#group.cluster.refreshMetadata();
  }

  /** True if it succeeded, but the previous one failed. */
  #isBack(): boolean {
    if (this.#hasFailed) return false;
    const back = this.#partitions?.filter((partition) => this.#interrupted.delete(partition));
    return back !== undefined && back.length > 0;
  }

  #report(progress: Omit<FetchProgress, "partitions">): void {
    this.#group.instrumentationEmitter.emit("consumer.fetch", {
      ...progress,
      isBusy: progress.isBusy || this.#throttledMs > 0,
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

/** An error that makes kafkajs rejoin the group, with the same member id. */
export function rejoin(type: string, cause?: unknown): Error {
  return Object.assign(new KafkaJSError("The group has to be rejoined", { cause }), { type });
}

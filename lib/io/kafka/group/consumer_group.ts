/**
 * The members of a consumer group of either kind that Kafka has, and the partitions to share.
 * Read-only: it does not join.
 * @module
 */

import type { Buffer } from "node:buffer";
import { backOff } from "../../../async/backoff.ts";
import { withTimeout } from "../../../async/delay.ts";
import { causes, UnavailableError } from "../../../core/failure.ts";
import type { Group, GroupMember, TopicPartition } from "../../../core/offsets/coverage.ts";
import type { KafkaConfig } from "../../../core/settings/config.ts";
import { printable } from "../../../core/text/printable.ts";
import { typeOf } from "../broker_errors.ts";
import { CLOSE_TIMEOUT_MS } from "../client.ts";
import { explain } from "../errors.ts";
import { type InternalCluster, openInternalCluster } from "../kafkajs/internal_cluster.ts";
import { AssignerProtocol, type Kafka } from "../kafkajs/kafkajs.ts";
import { noLeader } from "../log_ranges.ts";
import {
  CONSUMER_GROUP_DESCRIBE,
  consumerGroupDescribe,
  GROUP_ID_NOT_FOUND,
  type RawRequest,
  TOPIC_AUTHORIZATION_FAILED,
} from "./consumer_group_describe.ts";

/** Clients choose their own id. */
const MAX_CLIENT_ID_LENGTH = 100;
const MAX_ATTEMPTS = 6;
const BACKOFF = { firstMs: 100, maxMs: 2_000 };

export class ConsumerGroup implements AsyncDisposable {
  readonly #kafka: Kafka;
  readonly #config: KafkaConfig;
  #cluster: Promise<GroupCluster> | null = null;

  constructor(kafka: Kafka, config: KafkaConfig) {
    this.#kafka = kafka;
    this.#config = config;
  }

  async partitions(): Promise<TopicPartition[]> {
    const { topic } = this.#config;
    return await this.#request(async (cluster) => {
      await cluster.refreshMetadata();
      return cluster.findTopicPartitionMetadata(topic).map((partition) => ({
        partition: partition.partitionId,
        leaderProblem: partition.leader < 0 ? noLeader(partition) : null,
      }));
    });
  }

  /** Members of the group, with their partitions of the topic. */
  async describe(groupId = this.#config.groupId): Promise<Group> {
    try {
      return await this.#describe(groupId);
    } catch (error) {
      if (!causes(error).map(typeOf).includes("GROUP_AUTHORIZATION_FAILED")) throw error;
      return { isSettled: true, members: null };
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#close();
  }

  async #describe(groupId: string): Promise<Group> {
    return await this.#request((cluster) =>
      retryWhileLoading(async () => {
        const coordinator = await cluster.findGroupCoordinator({ groupId });
        const { groups: [group] } = await coordinator.describeGroups({ groupIds: [groupId] });
        // A group whose partitions the broker assigns is "Dead" to this request.
        const isKnown = group!.state !== "Dead" || !coordinator.versions[CONSUMER_GROUP_DESCRIBE];
        return isKnown ? this.#classic(group!) : await this.#consumer(coordinator, groupId);
      })
    );
  }

  #classic({ state, members }: ClassicGroup): Group {
    return {
      isSettled: !/Rebalance$/.test(state),
      members: members.map(({ memberAssignment, ...member }) =>
        this.#member(member, partitionsOf(memberAssignment, this.#config.topic))
      ),
    };
  }

  async #consumer({ connectionPool }: Coordinator, groupId: string): Promise<Group> {
    const { errorCode, errorMessage, state, members } = await connectionPool.send(
      consumerGroupDescribe(groupId),
    );
    if (errorCode === GROUP_ID_NOT_FOUND) return { isSettled: true, members: [] };
    // The members also read a topic that we may not see.
    if (errorCode === TOPIC_AUTHORIZATION_FAILED) return { isSettled: true, members: null };
    if (errorCode !== 0) {
      const problem = `Kafka does not list the members of the group ${groupId}: ${
        errorMessage ?? errorCode
      }`;
      throw Object.assign(new UnavailableError(problem), { retriable: true });
    }
    return {
      isSettled: state === "Stable" || state === "Empty",
      members: members.map(({ assignment, ...member }) =>
        this.#member(member, assignment.get(this.#config.topic) ?? [])
      ),
    };
  }

  #member(
    { clientId, clientHost }: { readonly clientId: string; readonly clientHost: string },
    partitions: readonly number[],
  ): GroupMember {
    return {
      clientId: printable(clientId).slice(0, MAX_CLIENT_ID_LENGTH),
      host: clientHost.replace(/^\//, ""),
      partitions: [...partitions].sort((a, b) => a - b),
    };
  }

  /** A failed request may leave a half-open connection: the next one opens another. */
  async #request<T>(send: (cluster: GroupCluster) => Promise<T>): Promise<T> {
    this.#cluster ??= openInternalCluster(this.#kafka, this.#config.topic) as Promise<GroupCluster>;
    try {
      return await send(await this.#cluster);
    } catch (error) {
      await this.#close();
      throw explain(error, this.#config);
    }
  }

  async #close(): Promise<void> {
    const opening = this.#cluster;
    if (!opening) return;
    this.#cluster = null;
    await withTimeout(CLOSE_TIMEOUT_MS, opening.then((cluster) => cluster.disconnect(), () => {}));
  }
}

/** A coordinator that has just taken the group over cannot answer at once. */
async function retryWhileLoading<T>(send: () => Promise<T>): Promise<T> {
  for (let attempt = 1;; attempt++) {
    try {
      return await send();
    } catch (error) {
      const { retriable } = error as { readonly retriable?: boolean };
      if (!retriable || attempt >= MAX_ATTEMPTS) throw error;
      await backOff(attempt, BACKOFF);
    }
  }
}

interface GroupCluster extends InternalCluster {
  findGroupCoordinator(of: { readonly groupId: string }): Promise<Coordinator>;
}

/** A broker in its role for the groups that it coordinates. */
interface Coordinator {
  /** Supported versions, by API key. */
  readonly versions: Readonly<Record<number, unknown>>;
  readonly connectionPool: { send<T>(request: RawRequest<T>): Promise<T> };
  describeGroups(
    of: { readonly groupIds: readonly string[] },
  ): Promise<{ readonly groups: readonly ClassicGroup[] }>;
}

/** A group whose members assign the partitions among themselves. */
interface ClassicGroup {
  readonly state: string;
  readonly members: readonly {
    readonly clientId: string;
    readonly clientHost: string;
    readonly memberAssignment: Buffer;
  }[];
}

/** A member's partitions; none if the bytes are of another protocol. */
function partitionsOf(memberAssignment: Buffer, topic: string): readonly number[] {
  try {
    return AssignerProtocol.MemberAssignment.decode(memberAssignment)?.assignment[topic] ?? [];
  } catch {
    return [];
  }
}

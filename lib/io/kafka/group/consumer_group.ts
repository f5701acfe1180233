/**
 * Who is in a consumer group, of either kind that Kafka has, and which partitions there are to
 * share. Looks only; it does not join.
 * @module
 */

import type { Buffer } from "node:buffer";
import { backoffMs } from "../../../async/backoff.ts";
import { delay, withTimeout } from "../../../async/delay.ts";
import { causes, UnavailableError } from "../../../core/failure.ts";
import type { Group, GroupMember, TopicPartition } from "../../../core/offsets/coverage.ts";
import type { KafkaConfig } from "../../../core/settings/config.ts";
import { printable } from "../../../core/text/printable.ts";
import { explain } from "../errors.ts";
import { AssignerProtocol, type Kafka } from "../kafkajs/kafkajs.ts";
import { createRawCluster, type RawCluster } from "../raw_cluster.ts";
import { noLeader } from "../topic_log.ts";
import {
  CONSUMER_GROUP_DESCRIBE,
  consumerGroupDescribe,
  GROUP_ID_NOT_FOUND,
  type RawRequest,
  TOPIC_AUTHORIZATION_FAILED,
} from "./consumer_group_describe.ts";

/** A client calls itself as it likes. */
const MAX_CLIENT_ID_LENGTH = 100;
const MAX_TRIES = 6;
const BACKOFF = { firstMs: 100, maxMs: 2_000 };
/** A connection that hangs must not hold up who closes it. */
const CLOSE_TIMEOUT_MS = 1_000;

export class ConsumerGroup implements AsyncDisposable {
  readonly #kafka: Kafka;
  readonly #config: KafkaConfig;
  #cluster: Promise<GroupCluster> | null = null;

  constructor(kafka: Kafka, config: KafkaConfig) {
    this.#kafka = kafka;
    this.#config = config;
  }

  /** All partitions of the topic. */
  async partitions(): Promise<TopicPartition[]> {
    const { topic } = this.#config;
    return await this.#ask(async (cluster) => {
      await cluster.refreshMetadata();
      return cluster.findTopicPartitionMetadata(topic).map((partition) => ({
        partition: partition.partitionId,
        leaderProblem: partition.leader < 0 ? noLeader(partition) : null,
      }));
    });
  }

  /** Who is in the group, with the partitions of the topic that they have. */
  async describe(groupId = this.#config.groupId): Promise<Group> {
    try {
      return await this.#describe(groupId);
    } catch (error) {
      if (!causes(error).some(isForbidden)) throw error;
      return { isSettled: true, members: null };
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#close();
  }

  async #describe(groupId: string): Promise<Group> {
    return await this.#ask((cluster) =>
      patiently(async () => {
        const coordinator = await cluster.findGroupCoordinator({ groupId });
        const { groups: [group] } = await coordinator.describeGroups({ groupIds: [groupId] });
        // What the broker itself shares out is dead to this question.
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
    // They read another topic, too, which we may not see.
    if (errorCode === TOPIC_AUTHORIZATION_FAILED) return { isSettled: true, members: null };
    if (errorCode !== 0) {
      const problem = `Kafka does not tell who is in the group ${groupId}: ${
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

  /** A failed question leaves a connection that may be half open: the next one opens another. */
  async #ask<T>(question: (cluster: GroupCluster) => Promise<T>): Promise<T> {
    this.#cluster ??= this.#open();
    try {
      return await question(await this.#cluster);
    } catch (error) {
      await this.#close();
      throw explain(error, this.#config);
    }
  }

  async #open(): Promise<GroupCluster> {
    const cluster = createRawCluster(this.#kafka) as GroupCluster;
    try {
      await cluster.connect();
      await cluster.addTargetTopic(this.#config.topic);
      return cluster;
    } catch (error) {
      await withTimeout(CLOSE_TIMEOUT_MS, cluster.disconnect());
      throw error;
    }
  }

  async #close(): Promise<void> {
    const opening = this.#cluster;
    if (!opening) return;
    this.#cluster = null;
    await withTimeout(CLOSE_TIMEOUT_MS, opening.then((cluster) => cluster.disconnect(), () => {}));
  }
}

/** Asks again: a coordinator that has just taken the group over cannot answer at once. */
async function patiently<T>(question: () => Promise<T>): Promise<T> {
  for (let tries = 1;; tries++) {
    try {
      return await question();
    } catch (error) {
      const { retriable } = error as { readonly retriable?: boolean };
      if (!retriable || tries >= MAX_TRIES) throw error;
      await delay(backoffMs(tries, { ...BACKOFF, random: Math.random() }));
    }
  }
}

/** The group, of which we may see nothing. */
function isForbidden(error: Error): boolean {
  return "type" in error && error.type === "GROUP_AUTHORIZATION_FAILED";
}

interface GroupCluster extends RawCluster {
  findGroupCoordinator(of: { readonly groupId: string }): Promise<Coordinator>;
}

/** A broker that is asked about the groups that it coordinates. */
interface Coordinator {
  /** By API key, what it speaks. */
  readonly versions: Readonly<Record<number, unknown>>;
  readonly connectionPool: { send<T>(request: RawRequest<T>): Promise<T> };
  describeGroups(
    of: { readonly groupIds: readonly string[] },
  ): Promise<{ readonly groups: readonly ClassicGroup[] }>;
}

/** A group whose members share the partitions out among themselves. */
interface ClassicGroup {
  readonly state: string;
  readonly members: readonly {
    readonly clientId: string;
    readonly clientHost: string;
    readonly memberAssignment: Buffer;
  }[];
}

/** What its member was given; nothing where the bytes are those of another protocol. */
function partitionsOf(memberAssignment: Buffer, topic: string): readonly number[] {
  try {
    return AssignerProtocol.MemberAssignment.decode(memberAssignment)?.assignment[topic] ?? [];
  } catch {
    return [];
  }
}

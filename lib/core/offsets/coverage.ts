/**
 * Which partitions no worker of a database counts, who has them instead, and what to do about it.
 *
 * Living workers say what they count; Kafka says which members of the group have the rest.
 * @module
 */

import { plural } from "../text/numbers.ts";
import { partitionNames } from "./partition_names.ts";

/** Prefix of every worker's id, in the database and in Kafka. */
export const WORKER_PREFIX = "lottery-worker-";

/** A worker that has registered in this database, and has not left it. */
export interface WorkerStatus {
  readonly id: string;
  readonly host: string;
  readonly startedMs: number;
  /** When it last reported, by the database's clock; null if its version does not. */
  readonly seenMs: number | null;
  /** It has reported recently. */
  readonly isAlive: boolean;
  readonly partitions: readonly number[];
}

/** A partition of the topic; without a leader it cannot be read. */
export interface TopicPartition {
  readonly partition: number;
  /** Why it has no leader; null if it has one. */
  readonly leaderProblem: string | null;
}

/** A member of the consumer group, with the partitions of the topic that it has. */
export interface GroupMember {
  readonly clientId: string;
  readonly host: string;
  readonly partitions: readonly number[];
}

export interface Group {
  /** False while partitions are being shared out again. */
  readonly isSettled: boolean;
  /** Null if Kafka does not allow us to see them. */
  readonly members: readonly GroupMember[] | null;
}

export type UncountedReason =
  | "no_leader"
  | "another_program"
  | "another_database"
  | "not_read"
  | "nobody"
  | "unknown";

/** A partition that no worker of the database counts. */
export interface UncountedPartition {
  readonly partition: number;
  readonly reason: UncountedReason;
  /** Why it has no leader; null if it has one. */
  readonly leaderProblem: string | null;
  /** The member of the group that has it, if one has. */
  readonly holder: { readonly clientId: string; readonly host: string } | null;
}

export interface CoverageView {
  readonly partitions: readonly TopicPartition[];
  readonly workers: readonly WorkerStatus[];
  readonly group: Group;
}

/** Partitions that no living worker counts, with all that have no leader. */
export function missingPartitions(
  { partitions, workers }: Omit<CoverageView, "group">,
): TopicPartition[] {
  const counted = new Set(
    workers.filter(({ isAlive }) => isAlive).flatMap(({ partitions }) => partitions),
  );
  return partitions.filter(({ partition, leaderProblem }) =>
    leaderProblem !== null || !counted.has(partition)
  );
}

/** The same, and who has them. */
export function uncountedPartitions(view: CoverageView): UncountedPartition[] {
  const { workers, group: { members } } = view;
  const ours = new Set(workers.filter(({ isAlive }) => isAlive).map(({ id }) => id));
  const reasonOf = (holder: UncountedPartition["holder"]): UncountedReason => {
    if (members === null) return "unknown";
    if (holder === null) return "nobody";
    if (ours.has(holder.clientId)) return "not_read";
    return holder.clientId.startsWith(WORKER_PREFIX) ? "another_database" : "another_program";
  };
  return missingPartitions(view).map(({ partition, leaderProblem }) => {
    const member = members?.find(({ partitions }) => partitions.includes(partition));
    const holder = member ? { clientId: member.clientId, host: member.host } : null;
    const reason = leaderProblem === null ? reasonOf(holder) : "no_leader";
    return { partition, reason, leaderProblem, holder };
  });
}

/** What is wrong and what to do, in sentences: one for each reason and each holder. */
export function describeUncounted(
  uncounted: readonly UncountedPartition[],
  { groupId, lags }: {
    readonly groupId: string;
    /** Records waiting in each partition, as far as it is known. */
    readonly lags: ReadonlyMap<number, number>;
  },
): string[] {
  const alike = Map.groupBy(
    uncounted,
    ({ reason, leaderProblem, holder }) => leaderProblem ?? JSON.stringify([reason, holder]),
  );
  return Array.from(alike.values(), (partitions) => {
    const { reason, leaderProblem, holder } = partitions[0]!;
    const ids = partitions.map(({ partition }) => partition);
    const one = ids.length === 1;
    const waiting = ids.reduce((sum, id) => sum + (lags.get(id) ?? 0), 0);
    const who = holder && `${holder.clientId} on ${holder.host}`;
    const [it, has] = one ? ["it", "has it"] : ["they", "has them"];
    const why: Readonly<Record<UncountedReason, string>> = {
      no_leader: `${leaderProblem}. Start a broker that has ${one ? "it" : "them"}`,
      another_program: `another program in the group ${groupId} ${has}, ${who}. ` +
        "Stop it, or give it another group",
      another_database:
        `${who} ${has}, a worker that is not registered in this database: it counts into another one, ` +
        `or cannot reach this one. Workers of another database need another KAFKA_GROUP_ID`,
      not_read: `${who} ${has}, but does not read ${one ? "it" : "them"}. See its log`,
      nobody:
        `no member of the group ${groupId} ${has}. Check whether another program uses the group`,
      unknown:
        `${it} may belong to another program, but Kafka does not allow us to list the members of the group ${groupId}. ` +
        "Grant Describe on the group and on all topics that it reads",
    };
    return `${partitionNames(ids)} ${one ? "is" : "are"} not counted${
      waiting === 0 ? "" : ` (${plural(waiting, "record")} waiting)`
    }: ${why[reason]}`;
  });
}

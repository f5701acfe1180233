/**
 * The ranges of a topic's log, requested from the leader of each partition: one that is away
 * hides only its own partitions.
 * @module
 */

import { delay } from "../../async/delay.ts";
import { UnavailableError } from "../../core/failure.ts";
import type { LogRange, LogView } from "../../core/offsets/log_range.ts";
import { unavailableText } from "../../core/offsets/partition_names.ts";
import { isBrokerError, isPartitionError } from "./broker_errors.ts";
import {
  type InternalCluster,
  type PartitionMetadata,
  READ_COMMITTED,
} from "./kafkajs/internal_cluster.ts";

/** Kafka's timestamps for the ends of a log. */
const EARLIEST = -2;
const LATEST = -1;

/** Leaders may be moving right now, so they are asked again. */
const ROUNDS = 3;
const ROUND_MS = 300;

/** Partitions that exist, but cannot be read right now. */
export class PartitionsAwayError extends UnavailableError {
  constructor(topic: string, unavailable: LogView["unavailable"]) {
    super(`Cannot read all of ${topic}: ${unavailableText(unavailable)}`);
  }
}

export interface ViewOptions {
  readonly topic: string;
  /** Those of interest; `undefined` for all. */
  readonly partitions: readonly number[] | undefined;
  /**
   * Ends that were seen before. A log does not shrink, but a broker that was frozen still answers
   * as the former leader for some tenths of a second: a lower end has to be confirmed.
   */
  readonly seenEnds: ReadonlyMap<number, number>;
  /** The meaning of a leader's failure. */
  readonly reasonOf: (error: unknown) => string;
}

/** Offsets `[first, last stable)` of the partitions that can be read, and why the others cannot. */
export async function viewLog(
  cluster: InternalCluster,
  { topic, partitions, seenEnds, reasonOf }: ViewOptions,
): Promise<LogView> {
  const ranges = new Map<number, LogRange>();
  const unavailable = new Map<number, string>();
  await cluster.addTargetTopic(topic);
  for (let round = 1;; round++) {
    await cluster.refreshMetadata();
    const known = cluster.findTopicPartitionMetadata(topic);
    const wanted = partitions ?? known.map(({ partitionId }) => partitionId);
    const isOpen = (id: number) => !ranges.has(id) && !unavailable.has(id);
    const open = known.filter(({ partitionId: id }) => wanted.includes(id) && isOpen(id));
    const byLeader = Map.groupBy(open, ({ leader }) => leader);
    const answers = await Promise.all(
      Array.from(byLeader, ([leader, led]) => askLeader(cluster, { topic, leader, led, reasonOf })),
    );
    const isLast = round === ROUNDS;
    for (const { found, missing, isMoving } of answers) {
      for (const [id, range] of found) {
        if (isLast || range.endOffset >= (seenEnds.get(id) ?? 0)) ranges.set(id, range);
      }
      if (isLast || !isMoving) { for (const [id, reason] of missing) unavailable.set(id, reason); }
    }
    if (isLast || !wanted.some(isOpen)) return { ranges, unavailable };
    await delay(ROUND_MS);
  }
}

interface Led extends Pick<ViewOptions, "topic" | "reasonOf"> {
  /** Id of a broker; below 0 without a leader. */
  readonly leader: number;
  readonly led: readonly PartitionMetadata[];
}

/** What the leader of some partitions reports, or why it does not. */
interface LeaderAnswer {
  readonly found: ReadonlyMap<number, LogRange>;
  readonly missing: ReadonlyMap<number, string>;
  /** Another leader may take over in a moment. */
  readonly isMoving: boolean;
}

async function askLeader(
  cluster: InternalCluster,
  { topic, leader, led, reasonOf }: Led,
): Promise<LeaderAnswer> {
  const missing = (reasonOf: (partition: PartitionMetadata) => string) =>
    new Map(led.map((partition) => [partition.partitionId, reasonOf(partition)]));
  if (leader < 0) return { found: new Map(), missing: missing(noLeader), isMoving: true };
  try {
    const ids = led.map(({ partitionId }) => partitionId);
    const found = await rangesAt(cluster, { topic, leader, ids });
    return { found, missing: new Map(), isMoving: false };
  } catch (error) {
    const isMoving = isPartitionError(error);
    if (!isMoving && !isBrokerError(error)) throw error;
    return { found: new Map(), missing: missing(() => reasonOf(error)), isMoving };
  }
}

/** Why a partition without a leader cannot be read. */
export function noLeader({ replicas }: Pick<PartitionMetadata, "replicas">): string {
  return replicas.length === 1
    ? `no leader, because its only copy is on broker ${replicas[0]}, which is down`
    : `no leader, because the brokers with a copy (${replicas.join(", ")}) are down or behind`;
}

async function rangesAt(
  cluster: InternalCluster,
  { topic, leader, ids }: {
    readonly topic: string;
    readonly leader: number;
    readonly ids: readonly number[];
  },
): Promise<Map<number, LogRange>> {
  const broker = await cluster.findBroker({ nodeId: String(leader) });
  const offsets = async (timestamp: number) => {
    const { responses } = await broker.listOffsets({
      isolationLevel: READ_COMMITTED,
      topics: [{ topic, partitions: ids.map((partition) => ({ partition, timestamp })) }],
    });
    return new Map(
      responses.flatMap(({ partitions }) =>
        partitions.map(({ partition, offset }) => [partition, Number(offset)])
      ),
    );
  };
  // In this order: the start may move up in between, but the end never falls below it.
  const starts = await offsets(EARLIEST);
  const ends = await offsets(LATEST);
  return new Map(
    ids.map((id) => [id, { startOffset: starts.get(id)!, endOffset: ends.get(id)! }]),
  );
}

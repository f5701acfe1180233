/**
 * What a topic's log holds, asked of the leader of each partition: one that is away hides
 * its own partitions and no others.
 * @module
 */

import { delay } from "../../async/delay.ts";
import { UnavailableError } from "../../core/failure.ts";
import type { LogRange, LogView } from "../../core/offsets/log_range.ts";
import { unavailableText } from "../../core/offsets/partition_names.ts";
import { isOfOneBroker, isOfPartition } from "./one_broker.ts";
import { type PartitionMetadata, type RawCluster, READ_COMMITTED } from "./raw_cluster.ts";

/** What Kafka calls the ends of a log. */
const EARLIEST = -2;
const LATEST = -1;

/** Leaders may be moving right now: they are asked so often, so far apart. */
const ROUNDS = 3;
const ROUND_MS = 300;

/** Partitions that are there, but cannot be read right now. */
export class PartitionsAwayError extends UnavailableError {
  constructor(topic: string, unavailable: LogView["unavailable"]) {
    super(`Cannot read all of ${topic}: ${unavailableText(unavailable)}`);
  }
}

export interface ViewOptions {
  readonly topic: string;
  /** Those that matter; `undefined`: all that the topic has. */
  readonly partitions: readonly number[] | undefined;
  /**
   * Ends that were seen before. A log does not get shorter, but a broker that was frozen answers
   * for some tenths of a second as the leader that it was: a lower end has to be said again.
   */
  readonly seenEnds: ReadonlyMap<number, number>;
  /** What a failure of a leader means. */
  readonly reasonOf: (error: unknown) => string;
}

/** Offsets `[first, last stable)` of the partitions that can be read, and why the others cannot. */
export async function viewLog(
  cluster: RawCluster,
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
  /** Id of a broker; below 0 for none. */
  readonly leader: number;
  readonly led: readonly PartitionMetadata[];
}

/** What the leader of some partitions says of them, or why it does not. */
interface LeaderAnswer {
  readonly found: ReadonlyMap<number, LogRange>;
  readonly missing: ReadonlyMap<number, string>;
  /** Another leader may be found in a moment. */
  readonly isMoving: boolean;
}

async function askLeader(
  cluster: RawCluster,
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
    const isMoving = isOfPartition(error);
    if (!isMoving && !isOfOneBroker(error)) throw error;
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
  cluster: RawCluster,
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
  // The start may move up to the end in between, but not the end below the start.
  const starts = await offsets(EARLIEST);
  const ends = await offsets(LATEST);
  return new Map(
    ids.map((id) => [id, { startOffset: starts.get(id)!, endOffset: ends.get(id)! }]),
  );
}

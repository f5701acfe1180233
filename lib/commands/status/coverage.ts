/**
 * The stored offset and the worker of each partition, at one moment.
 * @module
 */

import {
  type Group,
  type TopicPartition,
  uncountedPartitions,
} from "../../core/offsets/coverage.ts";
import type { LogView } from "../../core/offsets/log_range.ts";
import type { Coverage } from "../../core/views/status.ts";
import type { KafkaCluster } from "../../io/kafka/cluster.ts";
import type { ConsumerGroup } from "../../io/kafka/group/consumer_group.ts";
import { storedPartitions } from "../../io/postgres/queries/progress.ts";
import type { Connection } from "../../io/postgres/session/connection.ts";
import { listWorkers } from "../../io/postgres/worker_registry.ts";

export interface KafkaState {
  readonly log: LogView;
  readonly partitions: readonly TopicPartition[];
  readonly group: Group;
}

export async function readKafkaState(
  { cluster, group }: { readonly cluster: KafkaCluster; readonly group: ConsumerGroup },
): Promise<KafkaState> {
  return {
    log: await cluster.viewLog(),
    partitions: await group.partitions(),
    group: await group.describe(),
  };
}

/** Adds what the database says. It is asked after Kafka: workers enter it before they join the group. */
export async function readCoverage(
  connection: Connection,
  { topic, kafka }: {
    readonly topic: string;
    /** Null if Kafka is down. */
    readonly kafka: KafkaState | null;
  },
): Promise<Coverage> {
  const stored = new Map(
    (await storedPartitions(connection, topic)).map((row) => [row.partition, row]),
  );
  const workers = await listWorkers(connection);
  const partitions = new Set([
    ...stored.keys(),
    ...kafka?.partitions.map(({ partition }) => partition) ?? [],
  ]);
  return {
    partitions: [...partitions].sort((a, b) => a - b).map((partition) => {
      const row = stored.get(partition);
      return {
        partition,
        storedOffset: row?.nextOffset ?? null,
        log: kafka?.log.ranges.get(partition) ?? null,
        unavailable: kafka?.log.unavailable.get(partition) ?? null,
        maxEventTimeMs: row?.maxEventTimeMs ?? null,
        committedAtMs: row?.committedAtMs ?? null,
        caughtUpAtMs: row?.caughtUpAtMs ?? null,
      };
    }),
    group: kafka?.group ?? null,
    workers,
    uncounted: kafka ? uncountedPartitions({ ...kafka, workers }) : [],
  };
}

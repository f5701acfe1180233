/**
 * `audit`: recounts the topic up to the stored offsets, while workers run, and compares
 * every row of counts and every dead letter.
 * @module
 */

import { Audit, type AuditReport } from "../../core/audit/audit.ts";
import { withCoverage } from "../../core/audit/audit_coverage.ts";
import type { PartitionAudit } from "../../core/audit/partition_audit.ts";
import { letterSha256 } from "../../core/dead_letters/digest.ts";
import { OperatorError, UnavailableError } from "../../core/failure.ts";
import { lagWithin } from "../../core/offsets/log_range.ts";
import { RecordCursor } from "../../core/records/record_batch.ts";
import { inPartition } from "../../core/records/unreadable_batch.ts";
import type { Config } from "../../core/settings/config.ts";
import { progressBar } from "../../core/text/progress_bar.ts";
import { EventParser } from "../../core/windowing/event.ts";
import { createKafka } from "../../io/kafka/client.ts";
import { KafkaCluster } from "../../io/kafka/cluster.ts";
import { ConsumerGroup } from "../../io/kafka/group/consumer_group.ts";
import { LogReader, LogStartMovedError } from "../../io/kafka/log_reader.ts";
import { kafkaOrigin } from "../../io/kafka/origin.ts";
import { claimOf, comparePipeline } from "../../io/postgres/identity.ts";
import { openAudit } from "../../io/postgres/queries/audit_snapshot.ts";
import { eventTimeStatus } from "../../io/postgres/queries/progress.ts";
import { assertUpToDate } from "../../io/postgres/schema/migrate.ts";
import { Connection } from "../../io/postgres/session/connection.ts";
import { newSha256 } from "../../io/sha256.ts";
import type { Terminal } from "../../io/terminal.ts";
import { readCoverage, readKafkaState } from "../status/coverage.ts";

export interface AuditOptions {
  readonly terminal: Terminal;
  /** How many differences of a kind will be shown. */
  readonly limit: number;
}

/**
 * Changes nothing, and joins no group.
 * @throws {OperatorError} if nothing has been counted.
 */
export async function audit(
  config: Config,
  { terminal, limit }: AuditOptions,
): Promise<AuditReport> {
  const kafka = await createKafka(config.kafka);
  await using cluster = new KafkaCluster(kafka, config.kafka);
  await using connection = new Connection(config.databaseUrl);
  await assertUpToDate(connection);
  const claim = claimOf(config, await kafkaOrigin(cluster));
  if (await comparePipeline(connection, claim) === null) {
    throw new OperatorError("Cannot audit: nothing has been counted into this database yet.");
  }
  const { topic, groupId } = config.kafka;
  await using group = new ConsumerGroup(kafka, config.kafka);
  const coverage = await readCoverage(connection, {
    topic,
    kafka: await readKafkaState({ cluster, group }),
  });
  const { nowMs } = await eventTimeStatus(connection);
  const { windowMs } = config;
  const audit = await openAudit(connection, { topic, windowMs, maxHourDifferences: limit });
  await using reader = await LogReader.open(kafka, config.kafka);
  const recount = new Recount({ config, audit, cluster, reader, terminal });
  await recount.run();
  return withCoverage(audit.report(), coverage, { groupId, nowMs });
}

interface RecountOptions {
  readonly config: Config;
  readonly audit: Audit;
  readonly cluster: KafkaCluster;
  readonly reader: LogReader;
  readonly terminal: Terminal;
}

/** Gives the log's records to an audit, one partition after the other. */
class Recount {
  readonly #options: RecountOptions;
  readonly #parser: EventParser;
  readonly #startedAt = performance.now();
  /** Offsets of the partitions that are read already, and of all. */
  #done = 0;
  #total = 0;

  constructor(options: RecountOptions) {
    this.#options = options;
    this.#parser = new EventParser({ maxFutureMs: options.config.maxFutureMs });
  }

  async run(): Promise<void> {
    const { audit, cluster, terminal } = this.#options;
    // Batches of a compacted topic lose records at any time: nothing of it can be recounted.
    const isCompacted = await cluster.isCompacted();
    const starts = await this.#logStarts(audit.partitions);
    const lengths = audit.partitions.map((partition) => lengthOf(partition, starts));
    this.#total = isCompacted ? 0 : lengths.reduce((sum, length) => sum + length, 0);
    for (const [at, partition] of audit.partitions.entries()) {
      if (isCompacted) partition.begin(Infinity);
      else await this.#recount(partition);
      this.#done += lengths[at]!;
    }
    terminal.endStatus();
  }

  /** @param gone an offset that Kafka has refused. */
  async #recount(partition: PartitionAudit, gone = -1): Promise<void> {
    // Retention may have moved the start while other records were read.
    const starts = await this.#logStarts([partition]);
    const from = partition.begin(starts.get(partition)!);
    if (from <= gone) {
      throw new UnavailableError(
        `Cannot read partition ${partition.history.partition} from ${from}`,
      );
    }
    try {
      await this.#read(partition, from);
    } catch (error) {
      if (!(error instanceof LogStartMovedError)) {
        throw inPartition(partition.history.partition, error);
      }
      await this.#recount(partition, error.offset);
    }
  }

  async #read(partition: PartitionAudit, from: number): Promise<void> {
    const { audit, reader } = this.#options;
    const { partition: id, now: { nextOffset: to } } = partition.history;
    for await (const batches of reader.read({ partition: id, from, to })) {
      for (const batch of batches) {
        for await (const piece of batch.pieces()) {
          const cursor = new RecordCursor(piece);
          const sha256 = () => letterSha256(cursor, newSha256);
          while (cursor.next()) {
            const { offset } = cursor;
            if (offset < from || offset >= to) continue;
            const parsed = this.#parser.parse(cursor.bytes, {
              start: cursor.valueStart,
              end: cursor.valueEnd,
              size: cursor.valueSize,
              recordTimestampMs: cursor.timestampMs,
            });
            if (typeof parsed === "string") partition.addDeadLetter(offset, parsed, sha256);
            else audit.addEvent(partition, { offset, event: parsed, sha256 });
          }
        }
      }
      this.#showProgress(Math.min(to, batches.at(-1)!.nextOffset) - from);
    }
  }

  /**
   * Where the log of each partition begins.
   * @throws {OtherLogError} if it ends before what was counted.
   */
  async #logStarts(
    partitions: readonly PartitionAudit[],
  ): Promise<ReadonlyMap<PartitionAudit, number>> {
    const ranges = await this.#options.cluster.logRanges(
      partitions.map(({ history }) => history.partition),
    );
    return new Map(partitions.map((partition) => {
      const { partition: id, now } = partition.history;
      const range = ranges.get(id);
      const startOffset = range?.startOffset ?? 0;
      if (now.nextOffset >= startOffset) {
        lagWithin({ partition: id, position: now.nextOffset }, range);
      }
      return [partition, startOffset];
    }));
  }

  #showProgress(doneHere: number): void {
    this.#options.terminal.showStatus((columns) =>
      progressBar({
        done: this.#done + doneHere,
        total: this.#total,
        unit: "offsets",
        seconds: (performance.now() - this.#startedAt) / 1000,
        columns,
      })
    );
  }
}

function lengthOf(
  partition: PartitionAudit,
  starts: ReadonlyMap<PartitionAudit, number>,
): number {
  const { firstOffset, now } = partition.history;
  return Math.max(0, now.nextOffset - Math.max(firstOffset, starts.get(partition)!));
}

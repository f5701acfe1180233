/**
 * Kafka's log, as an audit reads it.
 * @module
 */

import type { AuditedLog } from "../../core/audit/audited_log.ts";
import type { LogPart } from "../../core/offsets/log_range.ts";
import type { KafkaCluster } from "./cluster.ts";
import type { LogReader } from "./log_reader.ts";

export function kafkaLog(cluster: KafkaCluster, reader: Pick<LogReader, "read">): AuditedLog {
  return {
    isCompacted: () => cluster.isCompacted(),
    ranges: (partitions) => cluster.logRanges(partitions),
    read: (part: LogPart) => reader.read(part),
  };
}

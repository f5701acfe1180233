/**
 * The checks of Kafka: brokers, topics and the consumer group.
 * @module
 */

import { describe, OperatorError } from "../../core/failure.ts";
import { COMPACTED_NOTE, CompactedError } from "../../core/offsets/log_range.ts";
import type { Origin } from "../../core/offsets/origin.ts";
import type { Config, KafkaConfig } from "../../core/settings/config.ts";
import { plural } from "../../core/text/numbers.ts";
import { clusterDownReason } from "../../io/kafka/broker_errors.ts";
import { createKafka } from "../../io/kafka/client.ts";
import { KafkaCluster } from "../../io/kafka/cluster.ts";
import { kafkaOrigin } from "../../io/kafka/origin.ts";
import { KafkaOutput } from "../../io/kafka/output.ts";
import { type Finding, finding } from "./finding.ts";

/**
 * Reports each cause once: when no broker answers, nothing else is checked, and a check that fails
 * for the same reason as an earlier one is left out.
 * @returns the log that would be counted, or null if it cannot be determined.
 */
export async function* checkKafka(
  { kafka, outputTopic, onDataLoss }: Config,
): AsyncGenerator<Finding, Origin | null> {
  const subject = `Kafka ${kafka.brokers.join(", ")}`;
  const client = await createKafka(kafka).catch((error) => error as Error);
  if (client instanceof Error) {
    yield { subject, isGood: false, text: describe(client) };
    return null;
  }
  await using cluster = new KafkaCluster(client, kafka);
  const brokers = await finding(subject, () => checkBrokers(cluster, kafka));
  yield brokers;
  if (!brokers.isGood) return null;

  let origin: Origin | null = null;
  const topic = await finding(`Topic ${kafka.topic}`, async () => {
    origin = await kafkaOrigin(cluster);
    return await checkPartitions(cluster, onDataLoss);
  });
  yield topic;
  const group = await finding(`Consumer group ${kafka.groupId}`, async () => {
    await cluster.assertGroup();
    return "usable";
  });
  if (group.isGood || !topic.text.includes(group.text)) yield group;
  if (outputTopic !== undefined) {
    yield await finding(`Output topic ${outputTopic}`, async () => {
      await new KafkaOutput(client, kafka, outputTopic).assertTopic();
      return "exists";
    });
  }
  return origin;
}

/** Tries each address separately: a wrong one goes unnoticed while another answers. */
async function checkBrokers(cluster: KafkaCluster, config: KafkaConfig): Promise<string> {
  const id = await cluster.id();
  const addresses = config.brokers.length > 1 ? config.brokers : [];
  const problems = await Promise.all(addresses.map(async (address) => {
    const alone = { ...config, brokers: [address] };
    await using one = new KafkaCluster(await createKafka(alone), alone);
    try {
      const itsId = await one.id();
      if (itsId === id) return [];
      throw new OperatorError(`${address} is another cluster, ${itsId}. Check KAFKA_BROKERS`);
    } catch (error) {
      const reason = clusterDownReason(error);
      if (reason === null) throw error;
      return [reason];
    }
  }));
  const away = problems.flat();
  return `answers, cluster ${id}${away.length === 0 ? "" : `; no answer at ${away.join("; ")}`}`;
}

async function checkPartitions(
  cluster: KafkaCluster,
  onDataLoss: Config["onDataLoss"],
): Promise<string> {
  const ranges = [...(await cluster.logRanges()).values()];
  const offsets = ranges.reduce(
    (sum, { startOffset, endOffset }) => sum + endOffset - startOffset,
    0,
  );
  const isCompacted = await cluster.isCompacted();
  if (isCompacted && onDataLoss === "fail") throw new CompactedError();
  return `${plural(ranges.length, "partition")} with ${plural(offsets, "offset")}` +
    (isCompacted ? `; note that ${COMPACTED_NOTE}` : "");
}

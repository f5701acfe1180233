/**
 * `produce`: a realistic stream of events into the topic.
 * @module
 */

import { delay } from "../../async/delay.ts";
import { OperatorError } from "../../core/failure.ts";
import type { Config, KafkaConfig } from "../../core/settings/config.ts";
import { topicPlace } from "../../core/settings/place.ts";
import { Generator, type GeneratorOptions } from "../../core/simulation/generator.ts";
import { cut } from "../../core/text/fitting_line.ts";
import { groupDigits, plural } from "../../core/text/numbers.ts";
import { progressBar } from "../../core/text/progress_bar.ts";
import { createKafka } from "../../io/kafka/client.ts";
import { KafkaCluster } from "../../io/kafka/cluster.ts";
import { KafkaProducer } from "../../io/kafka/producer.ts";
import { log } from "../../io/logs.ts";
import type { Terminal } from "../../io/terminal.ts";

export interface ProduceOptions extends GeneratorOptions {
  /** Events per second; `Infinity`: as fast as the broker accepts them. */
  readonly rate: number;
  readonly count: number;
  /** Asks for confirmation; null if nobody can answer. */
  readonly confirm: (question: string) => boolean | null;
  readonly signal: AbortSignal;
  readonly terminal: Terminal;
}

/** How often events are sent, and at most how many at once. */
const TICK_MS = 100;
const MAX_BATCH = 2_000;
const REPORT_INTERVAL_MS = 10_000;

/**
 * Resolves when `count` events are sent or the signal aborts.
 * @throws {OperatorError} if the topic is in use and sending to it is not confirmed.
 */
export async function produce(
  { kafka }: Config,
  { rate, count, confirm, signal, terminal, ...generatorOptions }: ProduceOptions,
): Promise<void> {
  const client = await createKafka(kafka);
  {
    await using cluster = new KafkaCluster(client, kafka);
    await cluster.assertTopic();
    await assertWanted(cluster, kafka, confirm);
  }
  await using producer = await KafkaProducer.open(client, kafka);
  const generator = new Generator(generatorOptions);
  log.info(
    Number.isFinite(rate)
      ? "Producing {rate} events/s to {topic}"
      : "Producing to {topic} as fast as it accepts them",
    { rate, topic: topicPlace(kafka) },
  );
  const startedAt = performance.now();
  let sent = 0;
  let reportedAt = startedAt;
  while (sent < count && !signal.aborted) {
    const seconds = (performance.now() - startedAt) / 1000;
    const due = Math.min(count, Math.ceil((seconds + TICK_MS / 1000) * rate)) - sent;
    const size = Math.min(MAX_BATCH, due);
    if (size <= 0) {
      await delay(TICK_MS, signal);
      continue;
    }
    const now = Date.now();
    await producer.send(
      Array.from({ length: size }, (_, at) => generator.record(sent + at, now)),
    );
    sent += size;
    report();
  }
  terminal.endStatus();
  const seconds = (performance.now() - startedAt) / 1000;
  log.info("Sent {sent} records in {seconds} s: {perSecond} records/s", {
    sent,
    seconds: Math.round(seconds * 10) / 10,
    perSecond: Math.round(sent / seconds),
  });

  function report(): void {
    const now = performance.now();
    const seconds = (now - startedAt) / 1000;
    const perSecond = Math.round(sent / seconds);
    terminal.showStatus((columns) =>
      Number.isFinite(count)
        ? progressBar({ done: sent, total: count, unit: "records", seconds, columns })
        : cut(
          `${groupDigits(perSecond)}/s · ${groupDigits(sent)} records to ${kafka.topic}`,
          columns,
        )
    );
    if (terminal.showsStatus || now - reportedAt < REPORT_INTERVAL_MS) return;
    reportedAt = now;
    log.info("Sent {sent} records, {perSecond}/s", { sent, perSecond });
  }
}

/** Made-up events can be neither distinguished from real ones nor removed. */
async function assertWanted(
  cluster: KafkaCluster,
  kafka: KafkaConfig,
  confirm: ProduceOptions["confirm"],
): Promise<void> {
  const ends = [...(await cluster.logRanges()).values()].map(({ endOffset }) => endOffset);
  const records = ends.reduce((sum, end) => sum + end, 0);
  if (records === 0) return;
  const where = `The topic ${topicPlace(kafka)} is in use: ${plural(records, "record")} ${
    records === 1 ? "was" : "were"
  } written to it.`;
  const answer = confirm(`${where} Send made-up events there?`);
  if (answer === null) {
    throw new OperatorError(
      `${where} Nothing was sent: confirmation is required, and standard input is not a terminal. Add --yes to send made-up events there`,
    );
  }
  if (!answer) throw new OperatorError("Nothing was sent.");
}

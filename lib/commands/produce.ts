/**
 * `produce`: a realistic stream of events into the topic.
 * @module
 */

import { pause } from "../condition.ts";
import { groupDigits } from "../core/amount.ts";
import type { Config } from "../core/config.ts";
import { Generator, type GeneratorOptions } from "../core/generator.ts";
import { cut } from "../core/fitting_line.ts";
import { progressBar } from "../core/progress_bar.ts";
import { createKafka, KafkaCluster } from "../io/kafka/client.ts";
import { KafkaProducer } from "../io/kafka/producer.ts";
import { log } from "../io/logs.ts";
import type { Terminal } from "../io/terminal.ts";

/** How `produce` was called. */
export interface ProduceOptions extends GeneratorOptions {
  /** Events per second; `Infinity`: as fast as the broker takes them. */
  readonly rate: number;
  /** Number of events, or `Infinity`. */
  readonly count: number;
  readonly signal: AbortSignal;
  readonly terminal: Terminal;
}

/** How often events are sent, and at most how many at once. */
const TICK_MS = 100;
const MAX_BATCH = 2_000;
const REPORT_INTERVAL_MS = 10_000;

/** Resolves when `count` events are sent or the signal aborts. */
export async function produce(
  { kafka }: Config,
  { rate, count, signal, terminal, ...generatorOptions }: ProduceOptions,
): Promise<void> {
  const client = await createKafka(kafka);
  {
    await using cluster = new KafkaCluster(client, kafka);
    await cluster.assertTopic();
  }
  await using producer = await KafkaProducer.open(client, kafka);
  const generator = new Generator(generatorOptions);
  log.info(
    Number.isFinite(rate)
      ? "Producing {rate} events/s to {topic}"
      : "Producing to {topic} as fast as it takes them",
    { rate, topic: kafka.topic },
  );
  const startedAt = performance.now();
  let sent = 0;
  let reportedAt = startedAt;
  while (sent < count && !signal.aborted) {
    const seconds = (performance.now() - startedAt) / 1000;
    const due = Math.min(count, Math.ceil((seconds + TICK_MS / 1000) * rate)) - sent;
    const size = Math.min(MAX_BATCH, due);
    if (size <= 0) {
      await pause(TICK_MS, signal);
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

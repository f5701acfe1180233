/**
 * `produce`: a realistic stream of events into the topic.
 * @module
 */

import { delay } from "../../async/delay.ts";
import { OperatorError } from "../../core/failure.ts";
import type { Config, KafkaConfig } from "../../core/settings/config.ts";
import { topicPlace } from "../../core/settings/place.ts";
import { Generator, type GeneratorOptions } from "../../core/simulation/generator.ts";
import { plural } from "../../core/text/numbers.ts";
import { createKafka } from "../../io/kafka/client.ts";
import { KafkaCluster } from "../../io/kafka/cluster.ts";
import type { Kafka } from "../../io/kafka/kafkajs/kafkajs.ts";
import { KafkaProducer } from "../../io/kafka/producer.ts";
import { log } from "../../io/logs.ts";
import type { Terminal } from "../../io/terminal.ts";
import { eventsOfStory, steadyEvents } from "./events.ts";
import { Progress } from "./progress.ts";

export interface ProduceOptions extends Omit<GeneratorOptions, "stop"> {
  /** Events per second; `Infinity`: as fast as the broker accepts them. */
  readonly rate: number;
  readonly count: number;
  /** Days before now that are sent first if the topic is empty; null for events of now, at a steady rate. */
  readonly historyDays: number | null;
  /** From now on nobody pays for it. */
  readonly stoppedLottery: string | null;
  /** Asks for confirmation; null if nobody can answer. */
  readonly confirm: (question: string) => boolean | null;
  readonly signal: AbortSignal;
  readonly terminal: Terminal;
}

/** How often events are sent, and at most how many at once: a megabyte holds them, which is the default of a broker. */
const TICK_MS = 100;
const MAX_BATCH = 7_000;

/**
 * Resolves when `count` events are sent or the signal aborts.
 * @throws {OperatorError} if the topic is in use and sending to it is not confirmed, or there is no such lottery.
 */
export async function produce(
  { kafka }: Config,
  { rate, count, historyDays, stoppedLottery, confirm, signal, terminal, ...rest }: ProduceOptions,
): Promise<void> {
  assertLottery(stoppedLottery, rest);
  const client = await createKafka(kafka);
  const isInUse = await isTopicInUse(client, { kafka, confirm });
  await using producer = await KafkaProducer.open(client, kafka);
  const startMs = Date.now();
  const options = {
    ...rest,
    rate,
    ...stoppedLottery !== null && { stop: { lotteryName: stoppedLottery, fromMs: startMs } },
  };
  const sentDays = isInUse ? 0 : historyDays ?? 0;
  const events = historyDays === null
    ? steadyEvents(options)
    : eventsOfStory({ ...options, startMs, historyDays: sentDays });
  const topic = topicPlace(kafka);
  let sent = 0;
  if (historyDays !== null && isInUse) {
    log.info("{topic} is in use: its history is not sent, only events from now on", { topic });
  }
  if (sentDays > 0) {
    log.info("Producing the last {days} to {topic}", { days: plural(sentDays, "day"), topic });
    await send({
      until: Math.min(count, events.dueAt(startMs)),
      unit: `records of ${plural(sentDays, "day")}`,
    });
    if (signal.aborted || sent >= count) return;
  }
  log.info(
    Number.isFinite(rate)
      ? "Producing {rate} events/s to {topic}"
      : "Producing to {topic} as fast as it accepts them",
    { rate, topic },
  );
  await send({ until: count, unit: "records" });

  async function send(
    { until, unit }: { readonly until: number; readonly unit: string },
  ): Promise<void> {
    const before = sent;
    const total = until - before;
    const progress = new Progress({ terminal, total, unit, topic: kafka.topic });
    let sending = Promise.resolve();
    while (sent < until && !signal.aborted) {
      const now = Date.now();
      const due = Math.min(until, events.dueAt(now)) - sent;
      const size = Math.min(MAX_BATCH, due);
      if (size <= 0) {
        await delay(TICK_MS, signal);
        continue;
      }
      const records = Array.from({ length: size }, (_, at) => events.record(sent + at, now));
      await sending;
      sending = producer.send(records); // the next ones are made meanwhile
      sending.catch(() => {}); // it is awaited in its turn
      sent += size;
      progress.show(sent - before);
    }
    await sending;
    progress.end(sent - before);
  }
}

function assertLottery(name: string | null, options: GeneratorOptions): void {
  if (name === null) return;
  const { lotteryNames } = new Generator(options);
  if (lotteryNames.includes(name)) return;
  throw new OperatorError(
    `There is no lottery ${name} to stop. Pass one of these to --stop: ${
      lotteryNames.slice(0, 12).join(", ")
    }`,
  );
}

/**
 * Whether the topic was written to before.
 * @throws {OperatorError} if it was, and sending to it is not confirmed: made-up events can be
 * neither distinguished from real ones nor removed.
 */
async function isTopicInUse(
  client: Kafka,
  { kafka, confirm }: { kafka: KafkaConfig; confirm: ProduceOptions["confirm"] },
): Promise<boolean> {
  await using cluster = new KafkaCluster(client, kafka);
  await cluster.assertTopic();
  const ends = [...(await cluster.logRanges()).values()].map(({ endOffset }) => endOffset);
  const records = ends.reduce((sum, end) => sum + end, 0);
  if (records === 0) return false;
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
  return true;
}

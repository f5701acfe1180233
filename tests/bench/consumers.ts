/**
 * Who reads a topic to its end: our program, and Kafka's own consumer that does nothing with it.
 * @module
 */

import { resolve } from "node:path";
import { run } from "../support/guarded_process.ts";
import { javaCommand, type TestTopic } from "../support/kafka.ts";
import type { TestDatabase } from "../support/postgres.ts";
import { Program, taskFlags } from "../support/worker_process.ts";
import { type Usage, usageOf } from "./processes.ts";
import type { Stand } from "./stand.ts";

/** Events a second of `ConsumerPerformance`, without the time in which it joins its group. */
export async function consumerPerformance(
  { brokers, name }: TestTopic,
  events: number,
): Promise<number> {
  const [java, ...args] = (await javaCommand(
    "org.apache.kafka.tools.ConsumerPerformance",
    ...["--bootstrap-server", brokers, "--topic", name, "--num-records", String(events)],
  )).filter((arg) => !arg.startsWith("-XX:TieredStopAtLevel")); // as its users run it
  const output = await run(java!, args);
  const [head, ...rows] = output.trim().split("\n").map((line) =>
    line.split(",").map((cell) => cell.trim())
  );
  const column = head!.indexOf("fetch.nMsg.sec");
  return Number(rows.at(-1)![column]);
}

/** What a run of the program took. */
export interface Run {
  /** Records that this worker counted, and for how long it was at it. */
  readonly events: number;
  readonly seconds: number;
  /** From the first positions to the last commit. */
  readonly eventsPerSecond: number;
  /** The last that was seen of it, a tenth of a second before its end. */
  readonly usage: Usage;
  /** Resident memory, every tenth of a second. */
  readonly residentMegabytes: readonly number[];
}

/** Settings with which a worker counts the topic into the database. */
export function settingsOf(
  { brokers, name, config }: TestTopic,
  database: TestDatabase,
): Record<string, string> {
  return {
    KAFKA_BROKERS: brokers,
    KAFKA_TOPIC: name,
    KAFKA_GROUP_ID: `${config.groupId}-${crypto.randomUUID()}`,
    DATABASE_URL: database.url,
  };
}

/** Counts the whole topic with `start --once`. */
export async function startOnce(
  { profileDirectory }: Stand,
  env: Readonly<Record<string, string>>,
): Promise<Run> {
  const flags = await taskFlags("start");
  if (profileDirectory) flags.push("--cpu-prof", `--cpu-prof-dir=${resolve(profileDirectory)}`);
  await using program = await Program.start(["start", "--once"], { env, flags });
  let usage: Usage = { cpuSeconds: 0, residentMegabytes: 0, peakMegabytes: 0 };
  const residentMegabytes: number[] = [];
  const looking = setInterval(async () => {
    const now = await usageOf(program.pid);
    if (!now) return;
    usage = now;
    residentMegabytes.push(now.residentMegabytes);
  }, 100);
  const code = await program.exitCode();
  clearInterval(looking);
  const report = program.stderr.split("\n").find((line) => line.includes('"per_second"'));
  if (code !== 0 || !report) throw new Error(`It failed with ${code}:\n${program.stderr}`);
  const { events, dead_letters: deadLetters, per_second: eventsPerSecond } = JSON.parse(report);
  const seconds = (events + deadLetters) / Math.max(1, eventsPerSecond);
  return { events, seconds, eventsPerSecond, usage, residentMegabytes };
}
